"""Facts into the embedded warehouse, and the shop's reports over ten million of them."""
