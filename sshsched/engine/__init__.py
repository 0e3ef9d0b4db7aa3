"""The engine: one task that takes events, saves what follows, and only then acts."""
