"""Schedules: when a job's runs are due. One module for each type; `base` says what they have in common."""
