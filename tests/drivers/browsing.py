"""A client that has nothing but a URL, as browsers have."""

import asyncio
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping

from tests.conformance.objects import Client


def browser(tls: ssl.SSLContext | None = None) -> Client:
    """Ask over HTTP; `tls` says whom to believe."""

    async def browse(
        method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        sent = body if method == "PUT" else None
        request = urllib.request.Request(url, method=method, headers=dict(headers or {}), data=sent)  # noqa: S310 - ours

        def ask() -> tuple[int, Mapping[str, str], bytes]:
            try:
                with urllib.request.urlopen(request, timeout=20, context=tls) as answer:  # noqa: S310 - as above
                    return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
            except urllib.error.HTTPError as refused:
                with refused:
                    return refused.code, {k.lower(): v for k, v in refused.headers.items()}, refused.read()

        return await asyncio.to_thread(ask)

    return browse
