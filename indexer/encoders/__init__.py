"""From text to vectors: the model itself, its quick copies for queries and for indexing, its tokens.

Heavy libraries (torch, onnxruntime, openvino) are imported inside the functions that need them. It knows no index
but the folder a copy of the model is written to; `stores`, `pipeline`, `doctor` and `search` may import it.
"""
