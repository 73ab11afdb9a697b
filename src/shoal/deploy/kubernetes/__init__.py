"""Plan → manifests for Kubernetes: a Kustomize base, an overlay for each environment, and what they need."""
