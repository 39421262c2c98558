"""Telegram: what a bot and an account have in common, and the connection of an account."""
