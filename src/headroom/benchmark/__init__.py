"""Comparing methods: `infer` writes results, `score` reads them; only files join the two."""
