"""What a third party would publish: `sshsched_tides`, with a kind of each family. Tests install it for a moment."""
