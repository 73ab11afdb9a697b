"""Whether a system is better off as services: evidence goes in, advice with numbers comes out. Pure."""
