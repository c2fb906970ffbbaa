"""From products on disk to batches."""
