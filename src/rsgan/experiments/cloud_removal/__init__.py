"""Experiments that remove clouds."""
