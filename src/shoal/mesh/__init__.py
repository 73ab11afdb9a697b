"""Compile a plan into the configuration, identities and access policies of Envoy."""
