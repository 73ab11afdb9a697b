"""Run declared services: one in a process behind its proxy, or several that share one."""
