"""What authors import; `shoal` re-exports it. Importing declares, and starts nothing."""
