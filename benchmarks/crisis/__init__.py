"""The crisis benchmark: simulated KOLs, real detectors, pages counted as a PR team would.

protocol.py   tiers, seeds and every number of the protocol
stream.py     one KOL's minutes: arrivals, negatives, crises, hard negatives
shapes.py     the rates that a crisis or a hard negative adds
limit.py      how soon a test could know that knew the rates and the onset
scoring.py    pages against incidents: hits, delays, false pages
peers.py      other rules, re-created, as scores per minute
ours.py       the engine, window by window
table.py      calibration, bootstrap, the printed table and the result file
"""
