"""sshsched: an agentless job runner over ssh that loses no run."""

__version__ = "0.1.0"
