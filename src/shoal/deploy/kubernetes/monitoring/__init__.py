"""What is watched in the cluster, who is woken and where it is seen: metrics, alerts, dashboards, traces, logs."""
