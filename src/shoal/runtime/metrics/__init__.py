"""What a service measures of itself: a registry, the catalog of every metric, and the formats that show them."""
