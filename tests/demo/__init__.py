"""The embedded hosts and the show."""
