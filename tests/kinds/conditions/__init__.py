"""Conditions, case by case."""
