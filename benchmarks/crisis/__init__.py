"""The crisis benchmark: real detectors on simulated KOLs; it counts pages as a PR team does.

protocol.py   tiers, seeds and all parameters
stream.py     one KOL's minutes: comments, negatives, crises, hard negatives
shapes.py     the rates that crises and hard negatives add
limit.py      the shortest delay of a test that knows the rates and the onset
scoring.py    pages against incidents: hits, delays, false pages
peers.py      re-created rules of others, as scores per minute
ours.py       the engine, window by window
bench.py      all detectors on all KOLs, and the peers' calibration
parallel.py   jobs in parallel processes
bootstrap.py  bootstrap intervals by KOL
report.py     tables and result file
comments.py   real labelled comments with the shipped classifier's scores
delivery.py   authors, texts and arrival times of a KOL's comments
text.py       the engine, comment by comment; its tables are in text_report.py
timeline.py   one KOL's timeline; details.py collects the data of the plots
plots.py      the plots page
"""
