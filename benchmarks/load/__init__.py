"""How long detection takes while others use the service, on real programs.

loads.py             what others do: long texts, readers, a storm, imports, exports, slow sockets …
load_worker.py       a load in a process of its own
steady_comments.py   the comments whose detection is timed
detection_delay.py   the time from the sending of a comment to the commit of its minute
event_reader.py      a reader of `/v1/stream` that costs little
preparation.py       many KOLs and many open alerts
measure.py           one load after the other, on one database
report.py            table, result file and what is allowed
"""
