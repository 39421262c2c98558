"""What people are sent.

`content.py` says once, in the reader's language, what there is to say; every other file shows it in
the manner of one kind of channel: `plain.py`, `html.py`, `slack.py`, `teams.py`.
"""
