"""What ``shoal check`` is made of: what is known of a project is gathered, rules are asked, the report is shown."""
