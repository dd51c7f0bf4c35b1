"""Gain maps of brackets, regressed and refined in one step of diffusion (GMODiff, Hu et al. 2026)."""

from headroom.methods.gmodiff.method import METHOD

__all__ = ["METHOD"]
