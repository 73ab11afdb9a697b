"""What the dashboard asks of the running system, and does to it."""
