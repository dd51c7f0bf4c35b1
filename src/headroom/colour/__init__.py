"""Colour arithmetic: transfer curves, primaries, ICC profiles, tone mapping and gain maps. Arrays in, arrays out."""
