"""What happens beside training: image logging and the like."""
