"""Run a whole system on one machine: processes, their guardian and the engines."""
