"""What the source `tiktok` is made of."""
