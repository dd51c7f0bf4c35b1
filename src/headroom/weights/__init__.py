"""Weights: the catalogue of what ships, safetensors, the only format used at run time, and the import of all others."""
