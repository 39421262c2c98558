"""Labelled text into a ModelArtifact folder."""
