"""X: its posts, and what may still be read."""
