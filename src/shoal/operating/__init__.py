"""What an operator asks of a running system and does to it; the command line and the dashboard both use it."""
