"""What users of sentiment classifiers complain about, as cases that we wrote: `relations.py` what a
case may demand, `cases.py` the cases and their families, `measure.py` how many of them hold.
"""
