"""Systems that were not written with Shoal, read from the files that they bring: what those tell, and where."""
