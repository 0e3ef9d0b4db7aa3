"""`sshsched demo`: embedded ssh hosts, jobs for them, and a show of what happens to runs. Rule: needs no set-up."""
