"""Experiments: networks, losses and loops, one file each."""
