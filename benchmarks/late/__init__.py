"""What late comments change, and what they cost, through the real pipeline and database.

audience.py   comments with given probabilities, and the scorer that looks them up
measured.py   a pipeline on a database of its own, with its re-runs; the databases
arrivals.py   KOLs of the crisis benchmark as comments in order of receipt
crisis.py     prompt and delayed runs, and how their final alerts compare
cost.py       one late comment: the time to the commit of its re-run
beside.py     delay of prompt comments while another KOL is re-run
report.py     tables and result file
"""
