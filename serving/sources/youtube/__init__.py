"""What the source `youtube` is made of."""
