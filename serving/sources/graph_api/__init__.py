"""Instagram, Facebook and Threads: what Meta's Graph API and webhooks have in common."""
