"""B6: what it costs that an event is a row first."""
