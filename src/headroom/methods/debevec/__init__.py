"""The classical merge of a bracket."""

from headroom.methods.debevec.method import METHOD

__all__ = ["METHOD"]
