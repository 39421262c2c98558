"""The whole chain from a hostile comment to the notified people, on real programs.

stack.py    the service, Prometheus, Alertmanager, a mail server and webhook receivers on loopback
storm.py    the replayed comments and the first hostile one of them
chain.py    a storm from its first comment to its resolution, with the time of each event
faults.py   three alerts during an outage: which messages arrive afterwards, and how often
report.py   tables and result file
"""
