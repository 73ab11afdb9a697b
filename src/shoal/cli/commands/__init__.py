"""One file per command; each module has an attribute `command`."""
