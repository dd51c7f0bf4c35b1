"""Styles and scripts of the pages that the benchmark writes."""
