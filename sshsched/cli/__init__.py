"""The command line. Rule: a command imports what it needs when it runs, so that the others stay quick."""
