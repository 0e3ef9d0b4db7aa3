"""One module per command or pair of commands; each is imported only when it is asked for."""
