"""What istiod would tell Envoy of the objects that are written for Kubernetes: a small subset, read field by field.

Nothing of the package `shoal` is used here: what is proven twice must not be written by the same hand twice. Each
struct below is a part of an object's specification, with the meaning of each field that is translated; a field that
is not there is an error, so that nothing is left out silently. The meanings are those of Istio 1.27 (how istiod reads
HTTPRoutes as VirtualServices, policies as filters, and rules of destinations as clusters) and of Gateway API 1.3.
"""
