"""Synthetic imagery series from real time series, and what sensors would see of them."""
