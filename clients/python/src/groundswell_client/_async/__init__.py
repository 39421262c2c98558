"""The asynchronous client; `_sync` is written from it by write_sync.py."""
