"""Objects of a service: fresh names, a list of those that may not stay, and who removes them."""
