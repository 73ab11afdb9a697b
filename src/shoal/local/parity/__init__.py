"""Compare the answers of an old application with those of the services that take it over, beside the traffic."""
