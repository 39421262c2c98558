"""A service that is killed at random while it judges a stream, on real programs.

stream.py    the comments: the demo's two days, once for each of several seeds
kills.py     the kills, while the service starts and while it works
receiver.py  the webhook that is notified, on loopback
play.py      one run: comments are sent until acknowledged, while the service is killed
outcome.py   what a run left, and what the kills have cost
report.py    table and result file
"""
