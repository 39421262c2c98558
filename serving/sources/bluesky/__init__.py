"""Bluesky: the stream of all posts, the public API, and what both say of a KOL."""
