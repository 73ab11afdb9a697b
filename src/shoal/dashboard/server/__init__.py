"""The HTTP side of the dashboard: pages, JSON and one stream, for the owner of this machine only."""
