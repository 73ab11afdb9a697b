"""One policy, proven twice: what a laptop's mesh does, the objects for Kubernetes do on the real Envoy."""
