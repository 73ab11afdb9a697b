"""B7: what it costs to have the effect of an event exactly once."""
