"""Detectors: one file each, with river's `learn_one` and `score_one`.

A file holds a detector's settings, its work and its registration. `registry` finds them all.
"""
