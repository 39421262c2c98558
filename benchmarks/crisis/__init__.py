"""The crisis benchmark: simulated KOLs, real detectors, pages counted as a PR team would.

protocol.py   tiers, seeds and every number of the protocol
stream.py     one KOL's minutes: arrivals, negatives, crises, hard negatives
shapes.py     the rates that a crisis or a hard negative adds
limit.py      how soon a test could know that knew the rates and the onset
scoring.py    pages against incidents: hits, delays, false pages
peers.py      other rules, re-created, as scores per minute
ours.py       the engine, window by window
bench.py      every detector on every KOL, calibration of the others
bootstrap.py  intervals by KOL
report.py     the printed tables and the result file
comments.py   real labelled comments with the shipped classifier's scores
delivery.py   authors, texts and arrivals of a KOL's comments
text.py       the engine, comment by comment; text_report.py its tables
timeline.py   one KOL's story; details.py what the plots need
plots.py      the plots page
"""
