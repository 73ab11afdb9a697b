"""What the driver of caches costs over a raw client, and what a stampede costs."""
