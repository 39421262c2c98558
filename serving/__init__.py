"""The outside world into model and monitoring and back: HTTP, storage, CLI."""
