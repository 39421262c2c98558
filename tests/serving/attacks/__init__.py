"""Requests that tried to stop the service, to fill it, or to use somebody's browser against it."""
