"""What ``shoal cost`` is made of: clouds, usage and prices are found before anything is counted."""
