"""Headers of requests that nobody outside may say, because those inside believe them. Pure data."""

UNTRUSTED = (
    "cf-connecting-ip",
    "forwarded",
    "remote-user",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
    "x-rewrite-url",
    "x-webauth-user",
)
"""Headers that only a proxy of ours could say truthfully; what comes from outside is dropped, by every gateway.

Envoy itself replaces ``x-forwarded-for``, ``x-forwarded-proto``, ``x-forwarded-client-cert`` and ``x-request-id``.
"""

OURS = ("x-envoy-", "x-shoal-", "x-forwarded-", "x-auth-request-", "x-authenticated-", "x-consumer-")
"""Beginnings of headers of the same kind: what common proxies tell applications of the caller."""


def is_untrusted(name: str) -> bool:
    """Tell whether a header is one of them; its name is in lower case."""
    return name in UNTRUSTED or name.startswith(OURS)
