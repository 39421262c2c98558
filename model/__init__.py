"""Turns text into calibrated probabilities. Imports no other room, and torch only on request."""
