"""What follows from a run: other runs, and what people and other programs are told."""
