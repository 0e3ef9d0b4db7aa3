"""The command line: one module for each command, imported only when that command is asked for.

Rule: what a person waits for comes first. The collector looks for garbage less often than Python's default has it: most
commands are over before there is any, and it took a fifth of their time.
"""

import gc

gc.set_threshold(100_000)
