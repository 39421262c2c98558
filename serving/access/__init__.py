"""Who asks, and what they may do: scopes, principals, keys, the audit log, limits.

`authentication.py` finds the principal of a request, once, before any route runs.
`serving/api/authorization.py` checks it against what a route requires.
"""
