"""The audit log of commands: who asked for what, when, from where, and what became of it."""
