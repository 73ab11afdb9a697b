"""Plan → files for a place where the system is to run; pure, nothing is applied."""
