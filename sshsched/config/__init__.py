"""YAML to typed jobs, hosts and settings. Rule: all problems come at once, each with file:line:column."""
