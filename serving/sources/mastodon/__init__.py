"""Mastodon: its statuses, and their HTML as text."""
