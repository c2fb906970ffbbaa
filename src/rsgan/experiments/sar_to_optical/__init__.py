"""Experiments that translate SAR to optical images."""
