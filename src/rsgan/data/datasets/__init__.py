"""One file for each task: which products make a sample."""
