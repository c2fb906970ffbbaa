"""What experiments share beside their base: losses, figures."""
