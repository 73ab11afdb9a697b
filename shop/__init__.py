"""The reference system: a shop of six services, written with what any user of Shoal can import."""
