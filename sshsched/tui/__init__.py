"""The live screen: what `sshsched watch` shows, folded from the event stream and from the store, and acted upon.

Rule: what the screen knows (`model`, `listing`, `columns`) is pure and needs no terminal. Widgets draw what is on the
screen and nothing else, and every question to the store or to the scheduler is asked in a thread.
"""
