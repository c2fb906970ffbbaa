"""Image quality, classification and temporal scores."""
