"""What a change of files concerns: which services are to be tested, built and deployed because of it. Pure."""
