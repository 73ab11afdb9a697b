"""Ways around: spellings of a path that might be judged as one and served as another, and headers that claim things."""

from typing import NamedTuple

PATHS: tuple[str, ...] = (
    "/{p}/", "//{p}", "///{p}", "/./{p}", "/{p}/.", "/{p}//", "/{p}/./", "/.//{p}", "/x/../{p}", "/../{p}", "/..//{p}",
    "/open/../{p}", "/open/./../{p}", "/open//../{p}", "/open/../open/../{p}", "/open/../../{p}", "/open/%2e%2e/{p}",
    "/open/%2E./{p}", "/open/.%2e/{p}", "/open/%2e%2e%2f{p}", "/open/..%2f{p}", "/open/..%2F{p}", "/open%2f..%2f{p}",
    "/open/..%5c{p}", "/open\\..\\{p}", "/open/..\\{p}", "/open/..;/{p}", "/open;/../{p}", "/open;x=/../{p}",
    "/open/;/../{p}", "/open/%252e%252e/{p}", "/open/%c0%ae%c0%ae/{p}", "/open/%e0%80%ae%e0%80%ae/{p}", "/open#/../{p}",
    "/open?/../{p}", "/open?x=/{p}", "/open%3f/../{p}", "/open%23/../{p}", "/open%00/../{p}", "/open%20/../{p}",
    "/%2e/{p}", "/%2e%2e/{p}", "/%2f{p}", "/%2F%2F{p}", "/%252f{p}", "/%5c{p}", "/%5C{p}", "\\{p}", "/\\{p}", "/;/{p}",
    "/;x/{p}", "/{p}%2f", "/{p}%2e", "/{p}.", "/{p}..", "/{p}/..;/", "/{p};", "/{p};x=1", "/{p};/", "/{p}/;",
    "/{p};.css",
    "/{up}", "/{cap}", "/{enc}", "/{all}", "/{twice}", "/{enc}/", "/{p}%20", "/{p}%09", "/{p}%00", "/{p}%00.css",
    "/{p}%0a",
    "/{p}%0d%0a", "/{p}%0d%0aX:%20y", "/{p}?", "/{p}?x=1", "/{p}#", "/{p}#x", "/{p}%23", "/{p}%3f", "/{p}?/open",
    "/{p}?access_token=x", "/{p}.json", "/{p}.css", "/{p}~", "/{p}*", "/{p}/*", "/{p}%c0%af", "/%c0%af{p}",
    "/%e0%80%af{p}",
    "/%ef%bc%8f{p}", "/{p}%ef%bc%8f", "/{p}%e2%80%8b", "/.{p}", "/{p}/%2e", "/{p}/%2e%2e/{p}", "/{p}/../{p}",
    "/{p}@", "/@{p}",
    "/{p}:80", "/{p}%u002f", "/%u002f{p}", "/{p}%", "/%{p}", "/{p}%25", "/{p}&", "/{p},", "/{p}|", "/{p}'", "/{p}%2500",
    "http://example.test/{p}", "http://evil.example/{p}", "https://127.0.0.1/{p}", "//evil.example/{p}", "http:///{p}",
    "{p}", "*", "?/{p}", "/", "", "/{p}\t", "/\t{p}",
)  # fmt: skip
"""Spellings of a protected path; see `spelled`."""

METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "GeT",
    "FOO",
    "PROPFIND",
)


def spelled(template: str, path: str) -> str:
    """Spell a path, given without its first slash."""
    first = path[0]
    return template.format(
        p=path,
        up=path.upper(),
        cap=path.capitalize(),
        enc=f"%{ord(first):02x}{path[1:]}",
        all="".join(f"%{ord(c):02X}" for c in path),
        twice=f"%25{ord(first):02x}{path[1:]}",
    )


class Claimed(NamedTuple):
    """A header from outside, and what it would have the inside believe."""

    name: str
    value: str = "forged"


CLAIMED: tuple[Claimed, ...] = (
    *(Claimed(f"x-shoal-{rest}") for rest in ("subject", "issuer", "roles", "scopes", "consumer", "anything")),
    *(Claimed(name) for name in ("X-Shoal-Subject", "X-SHOAL-ISSUER", "x-Shoal-sUBJECT")),
    *(Claimed(f"x-forwarded-{rest}") for rest in (
        "for", "host", "port", "prefix", "server", "scheme", "ssl", "user", "email", "groups", "preferred-username",
        "access-token", "method", "uri", "proto", "client-cert", "path", "by",
    )),
    *(Claimed(f"x-envoy-{rest}") for rest in (
        "internal", "external-address", "original-path", "original-host", "original-url", "upstream-rq-timeout-ms",
        "expected-rq-timeout-ms", "upstream-alt-stat-name", "max-retries", "retry-on", "decorator-operation",
        "peer-metadata",
        "force-trace", "attempt-count", "ip-tags", "downstream-service-cluster", "upstream-stream-duration-ms",
    )),
    *(Claimed(name) for name in (
        "forwarded", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "cf-connecting-ip",
        "x-original-url", "x-original-host", "x-original-method", "x-rewrite-url", "x-http-method",
        "x-http-method-override",
        "x-method-override", "remote-user", "x-remote-user", "x-auth-request-user", "x-auth-request-email",
        "x-consumer-id", "x-consumer-username", "x-authenticated-userid", "x-webauth-user", "x-request-id",
    )),
)  # fmt: skip

TWINS = tuple(name.replace("-", "_") for name in (
    "x-shoal-subject", "x-shoal-issuer", "x-forwarded-for", "x-forwarded-client-cert", "x-envoy-internal", "x-api-key",
    "x-real-ip", "x-original-url", "remote-user",
))  # fmt: skip
"""Names that some servers take for those with hyphens."""
