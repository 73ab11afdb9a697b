"""What it costs to watch a system: its collector, its store, its pages."""
