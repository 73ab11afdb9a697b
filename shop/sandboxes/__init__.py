"""Stand-ins for the systems outside, for laptops and tests."""
