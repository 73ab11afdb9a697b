"""Istio: identities, who may call what, and how calls are carried; with a proxy in each pod, or without."""
