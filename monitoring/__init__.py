"""Scored comments into signals and alerts. Pure: no clock, no I/O, no asyncio."""
