"""Torch blocks that are not one method's own."""
