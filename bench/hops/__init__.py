"""B2 and B10: what the mesh adds to a call, and what is left of a service that gets more than it can take."""
