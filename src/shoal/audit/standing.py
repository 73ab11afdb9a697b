"""The system of a project on this machine as the subject of an audit."""

import asyncio
import http.client
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shoal.audit.subject import Ask, Subject, Text
from shoal.drivers import broker_admin, open_store
from shoal.drivers.base import BrokerAdmin, Store
from shoal.errors import DeclarationError, EngineError, HostError, Unavailable
from shoal.local import logs, world
from shoal.local.environment import key_ring_url, operator_url, store_url
from shoal.local.layout import Layout, layout_of
from shoal.local.site import Site
from shoal.model import catalog
from shoal.model.plan import Plan
from shoal.runtime.privacy.reading import readable
from shoal.service.system import System

ANSWER_SECONDS = 10.0
"""How long the stand-in of an external may take."""

_MAILBOX = "mailbox"


def site_of(plan: Plan, root: Path) -> Site:
    """Find where a plan runs, or last ran, by what it left below `root`; `HostError` when it never did."""
    layout = layout_of(root)
    try:
        ports = msgspec.json.decode((layout.home / "ports.json").read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        raise HostError(
            f"no system has run in {root}", hint="start it with `shoal run`, or name the project with -C DIR"
        ) from None
    return world.settle(plan, layout, ports=ports)


@asynccontextmanager
async def opened(declared: System, site: Site, urls: Mapping[str, str]) -> AsyncIterator[Subject]:
    """Open the stores of a site whose engines run; `urls` are the base URLs of stand-ins by process.

    Raises:
        Unavailable: An engine does not answer.
    """
    async with AsyncExitStack() as stack:
        stores, sealed = dict[str, Store](), dict[str, str]()
        for service in declared.services:
            if url := store_url(site.plan.service(service.name), site.world):
                store = open_store(url)
                stack.push_async_callback(store.close)
                await store.open()
                ring = key_ring_url(service.name, site.world, os.environ)
                try:
                    reading = readable(service, site.plan.system.name, store, ring)
                    stores[service.name] = await stack.enter_async_context(reading)
                except (EngineError, DeclarationError) as error:
                    stores[service.name], sealed[service.name] = store, error.message
        yield Subject(
            declared=declared,
            plan=site.plan,
            now=lambda: datetime.now(UTC),
            stores=stores,
            sealed=sealed,
            broker=_broker(site),
            texts=_logs(site.layout),
            secrets=_secrets(site),
            externals=_externals(site.plan, urls),
        )


def _broker(site: Site) -> BrokerAdmin | None:
    running = catalog.server(site.plan.target.broker) in site.plan.engines
    return broker_admin(operator_url(site.world)) if running else None


def _logs(layout: Layout) -> tuple[Text, ...]:
    return tuple(Text(name=f"log {file.stem}", lines=partial(logs.read, file)) for file in logs.files(layout.logs))


def _secrets(site: Site) -> dict[str, str]:
    """Name every password and the signing key of the project."""
    known = site.world.passwords
    found = {f"password of {role} at the store": value for role, value in known.stores.items()}
    found |= {f"password of {user} at the broker": value for user, value in known.brokers.items()}
    found |= {f"password of {user} at the cache": value for user, value in known.caches.items()}
    if site.world.key is not None:
        document = msgspec.json.decode(site.world.key.private.read_bytes())
        found |= {f"signing key ({name})": text for name, text in _private(document)}
    return found


def _private(document: Any) -> Sequence[tuple[str, str]]:
    """List the private members of a JSON Web Key, or of a set of them (RFC 7518, section 6)."""
    keys = document.get("keys", [document]) if isinstance(document, dict) else []
    return [(name, str(key[name])) for key in keys for name in ("d", "k", "p", "q", "dp", "dq", "qi") if name in key]


def _externals(plan: Plan, urls: Mapping[str, str]) -> dict[str, Ask]:
    found: dict[str, Ask] = {}
    for external in plan.externals:
        process = external.name if external.sandbox is not None else _MAILBOX if external.protocol == "smtp" else ""
        if process in urls:
            found[external.name] = partial(_ask, external.name, urls[process])
    return found


async def _ask(name: str, base: str, path: str) -> Any:
    try:
        return msgspec.json.decode(await asyncio.to_thread(_get, base, path))
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise Unavailable(f"the stand-in of {name} did not answer GET {path}: {error!r}") from error


def _get(base: str, path: str) -> bytes:
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise OSError(f"{answer.status} {answer.reason}")
        return body
    finally:
        connection.close()
