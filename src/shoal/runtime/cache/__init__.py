"""What a service keeps in a cache: values, results of functions, sessions, leases."""
