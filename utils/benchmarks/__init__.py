"""Benchmarks: each compares, in one run, the project with the floor that no code of its kind can beat."""
