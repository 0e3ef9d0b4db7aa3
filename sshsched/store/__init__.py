"""The truth about runs: a SQLite database, and files of output.

Rule: one writer, which says done only when it is on the disk.
"""
