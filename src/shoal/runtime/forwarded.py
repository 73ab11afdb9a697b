"""Where a gateway says by ``authorization`` who it is itself, it forwards the caller's token in another header. Pure.

Source: API Gateway and Cloud Endpoints, "Receiving JWTs in your API" (``X-Forwarded-Authorization``). Whoever says
something there gains nothing: a token is verified wherever it comes from.
"""

from collections.abc import Iterable

from shoal.runtime.request import Application, Receive, Scope, Send

VOUCHED = b"x-forwarded-client-cert"
"""Set by the proxy before the service, which knows whose certificate it saw. It drops what others say there, or as
Istio's does, adds what it saw at the end."""

_OWN, _CALLERS = b"authorization", b"x-serverless-authorization"


def forwarded(application: Application, header: str) -> Application:
    """Give an application the caller's own token as ``authorization``.

    Args:
        application: What is to be asked.
        header: Where the gateway puts it, in lower case.
    """
    name = header.encode("latin-1")

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            scope = {**scope, "headers": [*_meant(scope["headers"], name)]}
        await application(scope, receive, send)

    return asked


def unvouched(application: Application) -> Application:
    """Drop what is said of callers' certificates: without a proxy of ours nobody has seen one, and callers say it."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != VOUCHED]}
        await application(scope, receive, send)

    return asked


def _meant(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Iterable[tuple[bytes, bytes]]:
    """Put the forwarded token into its place; services that call us say who they are elsewhere, and forward nothing."""
    given = [*headers]
    tokens = [value for key, value in given if key == name]
    services = any(key == _CALLERS for key, _ in given)
    for key, value in given:
        if key == _OWN and (tokens or not services):
            continue
        if key != name:
            yield key, value
    if tokens:
        yield _OWN, tokens[0]
