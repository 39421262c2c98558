"""The Numenta Anomaly Benchmark on five series of Twitter mentions, scored by our own code.

series.py     the files: counts every five minutes and the windows in which something happened
scoring.py    NAB's rule (Lavin and Ahmad 2015), standard profile
tuning.py     thresholds: the best on all series, and the best on the others
detectors.py  ours and river's, as one score a row
"""
