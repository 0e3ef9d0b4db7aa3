"""Programs of third parties: what becomes a command when a run is made."""
