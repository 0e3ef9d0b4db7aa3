"""Hosts: the shell text that is sent, the answers that are parsed, and one link per host."""
