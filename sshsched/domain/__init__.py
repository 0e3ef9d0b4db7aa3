"""Words, states and decisions. Rule: pure. No clock, file, socket, task or logger; time is an argument."""
