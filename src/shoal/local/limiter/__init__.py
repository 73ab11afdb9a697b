"""Counts requests for all gateways: answers Envoy's question whether a caller may pass, and counts in Valkey."""
