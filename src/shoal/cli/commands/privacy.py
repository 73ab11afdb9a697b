"""``shoal privacy list|renew|move|erasures``."""

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click
import msgspec

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say, service_option
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shoal.drivers.base import KeyRing
    from shoal.operating.engines import Engines
    from shoal.runtime.privacy.erasing import Erased
    from shoal.runtime.privacy.rotation import Renewed, Standing
    from shoal.runtime.privacy.vault import Vault

KEY_RING = "SHOAL_KEY_RING"

_EXAMPLES = examples(
    "shoal privacy list                 which personal data there is, and how many keys seal it",
    "shoal privacy erasures             who was erased, and which services have yet to do so",
    "shoal privacy renew                renew every key that wraps others, while everything runs",
    "shoal privacy move --from URL      take the services' own keys from one key ring to another",
)


@click.group("privacy", epilog=_EXAMPLES)
def command() -> None:
    """See which personal data there is, and renew the keys that seal it. Values are never shown."""


@command.command("list", epilog=examples("shoal privacy list", "shoal privacy list --service users --json"))
@service_option("the personal data")
@output_option
@click.pass_obj
def list_(context: Global, service: str, output: str) -> None:
    """List the personal fields that services keep, announce or hear, and the keys that seal them."""
    found = asyncio.run(_standing(context, service))
    if output == "json":
        print_json([{"service": name, "fields": fields, **msgspec.to_builtins(keys)} for name, fields, keys in found])
        return
    if not found:
        say("no service has personal data; declare it: name: Personal[str]")
        return
    heads = ("SERVICE", "PERSONS", "ERASED", "DATA KEYS", "TO RENEW", "KEY RING", "FIELDS")
    print_table(
        heads,
        [
            (name, str(k.persons), str(k.erased), str(k.data_keys), str(k.behind), k.ring, ", ".join(fields))
            for name, fields, k in found
        ],
    )


@command.command("renew", epilog=examples("shoal privacy renew", "shoal privacy renew --service users"))
@service_option("the keys")
@click.pass_obj
@acts("renew keys of persons", "service")
def renew(context: Global, service: str) -> None:
    """Make a new key in the key ring, and wrap every data key anew. Old ones stay readable meanwhile.

    Values are not sealed anew: their keys stay the same, only what wraps them changes.
    """
    for name, done in asyncio.run(_renew(context, service)):
        say(f"{name}: {done.data_keys} data keys are wrapped anew under {done.ring}; {done.dropped} old keys dropped")


@command.command(
    "move",
    epilog=examples(
        "shoal privacy move --from keyfile:///keep/rings/{service}.json",
        "shoal privacy move --from awskms:///alias/old-{service} --service users",
    ),
)
@click.option("--from", "before", required=True, metavar="URL", help="The ring so far; {service} stands for each.")
@service_option("the keys")
@click.pass_obj
@acts("move keys of persons", "service")
def move(context: Global, before: str, service: str) -> None:
    """Wrap the services' own keys by the key ring that SHOAL_KEY_RING names, which is another than so far.

    Services that run notice nothing: they ask the ring when they start, and must then be given the new one.
    """
    for name, count in asyncio.run(_move(context, service, before)):
        say(f"{name}: {count} keys of its own are in its new key ring")


@command.command("erasures", epilog=examples("shoal privacy erasures", "shoal privacy erasures usr_3f... --json"))
@click.argument("person", default="")
@output_option
@click.pass_obj
def erasures(context: Global, person: str, output: str) -> int:
    """List the persons who were erased, or what each service that has personal data reports of one.

    Exits with 1 while some service has not reported: it is waited for.
    """
    holders, found = asyncio.run(_erasures(context, person))
    if output == "json":
        print_json([{"service": name, **msgspec.to_builtins(said)} for name, said in found])
    elif person:
        told = dict(found)
        rows = [(n, f"{s.at:%Y-%m-%d %H:%M:%S}", str(s.keys), str(s.records)) for n, s in found]
        waited = [(name, "waited for", "-", "-") for name in holders if name not in told]
        print_table(("SERVICE", "ERASED", "KEYS", "RECORDS"), [*rows, *waited])
    elif not found:
        say("nobody was erased")
    else:
        persons = {said.subject: said.at for _, said in reversed(found)}
        everybody = [(p, f"{at:%Y-%m-%d %H:%M:%S}", _missing(p, holders, found) or "-") for p, at in persons.items()]
        print_table(("PERSON", "SINCE", "WAITED FOR"), everybody)
    persons_ = {person} if person else {said.subject for _, said in found}
    return FOUND if any(_missing(p, holders, found) for p in persons_) else OK


def _missing(person: str, holders: "list[str]", found: "list[tuple[str, Erased]]") -> str:
    told = {name for name, said in found if said.subject == person}
    return ", ".join(name for name in holders if name not in told)


async def _erasures(context: Global, person: str) -> "tuple[list[str], list[tuple[str, Erased]]]":
    from shoal.operating.engines import engines
    from shoal.runtime.privacy.erasing import reports

    run, found = engines(context), []
    for planned in run.plan.services:
        if planned.store is not None:
            async with run.store(planned.name) as store:
                found += [(planned.name, said) for said in await reports(store, person)]
    return [name for name, _ in _holders(run, "")], found


async def _standing(context: Global, only: str) -> "list[tuple[str, tuple[str, ...], Standing]]":
    from shoal.operating.engines import engines
    from shoal.runtime.privacy.rotation import standing

    run, found = engines(context), []
    for name, fields in _holders(run, only):
        async with run.store(name) as store:
            found.append((name, fields, await standing(store)))
    return found


async def _renew(context: Global, only: str) -> "list[tuple[str, Renewed]]":
    from shoal.operating.engines import engines
    from shoal.runtime.privacy.rotation import renew

    run, found = engines(context), []
    for name, _ in _holders(run, only):
        async with _ring(run.environment(name)[KEY_RING]) as ring, run.store(name) as store:
            found.append((name, await renew(_vault(run, name, ring), store)))
    return found


async def _move(context: Global, only: str, before: str) -> list[tuple[str, int]]:
    from shoal.local.environment import of_service
    from shoal.operating.engines import engines
    from shoal.runtime.privacy.rotation import move

    run, found = engines(context), []
    for name, _ in _holders(run, only):
        there = run.environment(name)[KEY_RING]
        async with _ring(of_service(before, name)) as old, _ring(there) as new, run.store(name) as store:
            found.append((name, await move(_vault(run, name, old), new, store)))
    return found


@asynccontextmanager
async def _ring(url: str) -> "AsyncIterator[KeyRing]":
    from shoal.drivers import open_key_ring

    ring = open_key_ring(url)
    try:
        yield ring
    finally:
        await ring.close()


def _vault(run: "Engines", service: str, ring: "KeyRing") -> "Vault":
    from shoal.runtime.clock import SystemClock
    from shoal.runtime.privacy.vault import Vault

    return Vault(run.plan.system.name, service, ring, SystemClock(), time.monotonic)


def _holders(run: "Engines", only: str) -> list[tuple[str, tuple[str, ...]]]:
    """List the services that have personal data, with its fields."""
    if only:
        run.planned(only)
    found = [(s.name, s.personal) for s in run.plan.system.services if s.personal and only in ("", s.name)]
    if only and not found:
        raise DeclarationError(f"service {only} has no personal data", hint="shoal privacy list")
    return found
