"""What ``shoal deploy`` is made of: a command for each target, and what they do with files and findings."""
