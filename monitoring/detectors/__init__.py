"""Detectors: one file each, in river's learn_one / score_one manner.

A file holds a detector's settings, its work and its registration. `registry` finds them all.
"""
