"""The families that people extend. As pure as the domain: no clock, file, socket or task."""
