"""B19: what a month costs."""
