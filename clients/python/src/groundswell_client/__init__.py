"""A typed HTTP client of a Groundswell service.

It needs httpx and msgspec, nothing of the server. Start with `groundswell_client.client.connect`.
"""
