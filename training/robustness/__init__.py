"""Robustness cases, written after what users of sentiment classifiers complain about.

relations.py defines what a case can expect, cases.py reads the cases, measure.py counts passes.
"""
