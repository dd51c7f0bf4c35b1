"""Ghost-free merging of a bracket with a diffused low-frequency prior (LF-Diff, Hu et al. 2024)."""

from headroom.methods.lf_diff.method import METHOD

__all__ = ["METHOD"]
