"""What the drivers of Amazon's interfaces share: how their addresses read, and the one client. No driver by itself."""
