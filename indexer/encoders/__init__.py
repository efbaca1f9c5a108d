"""From text to vectors: the model itself, its ONNX export, the query model and int8 variants made of it, its tokens.

Heavy libraries (torch, openvino, onnx) are imported inside the functions that need them. This room knows no index but
the folder the exported model is written to; `stores`, `pipeline`, `doctor`,
`search` and `cli` may import it.
"""
