"""One file a platform; each registers its type."""
