"""The names that a channels file may give."""

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"  # of a channel or a digest
