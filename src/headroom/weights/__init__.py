"""Weights: the catalogue of what ships, and a reader and a writer of safetensors, the only format used at run time."""
