"""Google Cloud: resources without syntax, and what is written for them."""
