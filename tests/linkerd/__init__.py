"""What Linkerd's proxies would do with the objects that are written for it, as configuration of Envoy: a small subset.

As in `tests.istiod`, nothing of the package `shoal` is used, every field that is read is named with its meaning, and
another one is an error. Translated is who may ask a Server for what (Linkerd 2.16 or newer); its identities are spelled
as Istio's are, and how it balances, what it measures and its own headers are not translated.
"""
