"""The command line: one module for each command, imported only when that command is asked for.

Rule: what a person waits for comes first. While modules are imported the collector does not look for garbage: there is
none, and it took a fifth of a command's time. `main` sets that back when all is imported.
"""

import gc

from sshsched.cli.later import put_off

gc.disable()
put_off()
