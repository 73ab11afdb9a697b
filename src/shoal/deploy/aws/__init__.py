"""A system on Amazon Web Services: what it takes, as resources without syntax, which are printed and priced."""
