"""Reference classifier and scores."""
