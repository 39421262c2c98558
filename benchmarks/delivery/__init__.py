"""The whole chain from a hostile comment to the people who must act, on real programs.

stack.py    the service, Prometheus, Alertmanager, a mail server and webhook receivers on loopback
storm.py    the comments that are replayed, and which of them is the first hostile one
story.py    the storm, told by every way, acknowledged and resolved: when each thing happened
faults.py   three alerts while nobody can be reached: what came in the end, and how often
report.py   the printed tables and the result file
"""
