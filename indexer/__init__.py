"""Reading, restoring, splitting, embedding and storing talks: the ground floor."""

import os

# From 1.29 on, onnxruntime sends who runs what to its makers on Linux and macOS. It looks at this once, when it is
# imported, and its own `disable_telemetry_events()` comes too late. Every other part of talksearch imports this package
# first, and worker processes inherit the environment.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
