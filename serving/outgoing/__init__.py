"""Connections that the service opens to other machines, each checked before it is made."""
