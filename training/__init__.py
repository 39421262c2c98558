"""Trains a model on labelled text and writes its folder."""
