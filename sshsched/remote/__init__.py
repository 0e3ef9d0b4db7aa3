"""Talking to hosts. Rule: a host that cannot be talked to says nothing about any program there."""
