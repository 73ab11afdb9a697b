"""B5: what a durable command costs over the one insert that it cannot do without."""
