"""What the drivers of stores and brokers cost over the clients that they use."""
