"""The service at 70% of what it can do, for an hour, with all that people do beside.

stream.py        comments without end: the demo's KOLs, two days after two days
sender.py        sends them at a rate
responders.py    people who acknowledge, note and resolve
samples.py       memory, descriptors, backlog, size of the database and delay, every five seconds
traffic.py       all of that at once: first the capacity, then the soak
verification.py  what was lost or doubled, and how the alerts differ from a rebuild
memory.py        how much memory grows
plot.py          the plot
report.py        table and result file
"""
