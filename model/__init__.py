"""Text into calibrated probabilities. Imports nothing of ours and, on the default path, no torch."""
