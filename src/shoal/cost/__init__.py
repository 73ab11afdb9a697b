"""What a system costs a month: the same resources as are deployed, times what they are used, times dated prices."""
