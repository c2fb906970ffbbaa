"""What experiments share: losses."""
