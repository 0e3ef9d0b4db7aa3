"""`python -m sshsched` is `sshsched`."""

from sshsched.cli.main import main

main()
