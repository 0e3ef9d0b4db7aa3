"""The suite. It mirrors the packages; `support` holds what many tests use."""
