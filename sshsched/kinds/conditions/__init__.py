"""Conditions: what holds a run back until it may start."""
