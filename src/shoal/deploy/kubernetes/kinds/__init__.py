"""Kubernetes' own kinds, one file each: functions from what is decided to an object."""
