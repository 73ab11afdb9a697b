"""Linkerd: who may call what, and how long calls may take."""
