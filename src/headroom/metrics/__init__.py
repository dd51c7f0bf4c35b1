"""Metrics, one file each; none of them guesses the units of what it is given."""
