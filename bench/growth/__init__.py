"""How the configuration of the mesh grows with the number of services."""
