"""B1: what the gateway's profile costs."""
