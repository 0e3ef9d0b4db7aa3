"""What sshsched costs, each figure beside that of a rival, measured in the same run. `python -m bench` prints them."""
