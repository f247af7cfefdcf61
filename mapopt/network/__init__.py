"""What is computed: networks read from ONNX files, and generators of the standard CNNs."""
