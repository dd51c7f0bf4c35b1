"""Training: one loop for every method, typed recipes, exact resume."""
