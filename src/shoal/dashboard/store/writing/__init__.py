"""Puts what came into the file of a run: only the thread of `shoal.dashboard.store.writer` comes here."""
