"""B9: how long it takes from a command to the first confirmed order, beside the bare programs underneath."""
