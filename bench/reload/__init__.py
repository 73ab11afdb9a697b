"""How soon a change of files is what Envoy does, while requests flow."""
