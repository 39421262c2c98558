"""Detectors: one file each, in river's learn_one / score_one manner."""
