"""Linearisation without recovery."""

from headroom.methods.linear.method import METHOD

__all__ = ["METHOD"]
