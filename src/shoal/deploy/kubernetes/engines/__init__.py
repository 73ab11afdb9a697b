"""Servers that run in the cluster, one file each: replicas, disks, backups and what may be taken away at a time."""
