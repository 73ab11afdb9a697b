"""Code as authors write it, for type checkers: what must pass, and lines that must be flagged."""
