"""The client without asyncio; write_sync.py writes it from `_async`."""
