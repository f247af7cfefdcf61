"""Generators of standard CNNs as ONNX models without weight data, one file per family."""
