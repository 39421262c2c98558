"""A typed HTTP client of a Groundswell service.

It needs httpx and msgspec and nothing of the server. Start with `serving.client.client.connect`.
"""
