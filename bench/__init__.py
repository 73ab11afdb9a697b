"""Side-by-side benchmarks, each a ratio measured on one machine in one run; ``make bench`` runs them."""
