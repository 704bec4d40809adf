"""Measurements: each figure against an alternative, in the same run."""
