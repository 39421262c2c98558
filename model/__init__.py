"""Text into calibrated probabilities. Imports no other room; no torch on the default path."""
