"""``shoal keys create|list|revoke|issuer``."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from shoal.cli.acting import acts
from shoal.cli.output import examples, output_option, print_json, print_table, say
from shoal.cli.program import OK, Global
from shoal.errors import DeclarationError, HostError
from shoal.local.keys import Key

_EXAMPLES = examples(
    "shoal keys create partner-x             a new key, beside those that it has",
    "shoal keys create partner-x --days 30",
    "shoal keys list                         whose they are, and when they end",
    "shoal keys revoke 5f0c1f2a9b3d          end one at once",
    "shoal keys issuer --out ../production   the key by which an environment signs its tokens",
)


@click.group("keys", epilog=_EXAMPLES)
def command() -> None:
    """Make, list and revoke the keys of consumers; make the key that signs an environment's tokens."""


@command.command("create", epilog=examples("shoal keys create partner-x", "shoal keys create partner-x --days 30"))
@click.argument("consumer", metavar="CONSUMER")
@click.option("--days", default=365.0, show_default=True, type=click.FloatRange(0.001, 3650), help="How long it lasts.")
@click.pass_obj
@acts("create key", "consumer")
def create(context: Global, consumer: str, days: float) -> int:
    """Make a key for a consumer; the keys that it has stay good, so that it can change over.

    The key goes to standard output, once: it is kept nowhere, and cannot be shown again.
    """
    from shoal.local import keys, layout
    from shoal.operating import project

    system = project.read(context)
    known = [declared.name for declared in system.gateway.consumers]
    if consumer not in known:
        raise DeclarationError(
            f"system {system.name} has no consumer {consumer!r}",
            hint=f"its consumers are: {', '.join(known) or 'none'}; declare Gateway(consumers=(Consumer(...),))",
        )
    place = layout.layout_of(context.root)
    layout.make(place)
    made, key = keys.create(place.secrets, system.name, consumer, days)
    _tell(context)
    click.echo(key)
    say(f"key {made.id} of {consumer} lasts until {_day(made.expires)}; it is shown only now")
    return OK


@command.command("issuer", epilog=examples("shoal keys issuer --out ../production"))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the two files.")
@click.pass_obj
def issuer(context: Global, out: Path) -> int:
    """Make the key by which an environment signs its tokens, and the key set that verifies them.

    They are `signing-key.json`, which the service that signs is given alone, and `jwks.json`, which everybody may see.
    A laptop makes its own; an environment wants others, as its secrets. What is there already is not written over.
    """
    from shoal.local import secrets

    place = out if out.is_absolute() else context.root / out
    known = secrets.files_of_key(place)
    there = next((file for file in (known.private, known.public) if file.exists()), None)
    if there is not None:
        raise HostError(
            f"{there} is there already", hint="name another folder: --out DIR; tokens of the old key would end"
        )
    made = secrets.signing_key(place)
    click.echo(made.private)
    click.echo(made.public)
    say("keep both out of version control; give them to the environment as its secrets")
    return OK


@command.command("list", epilog=examples("shoal keys list", "shoal keys list --json | jq '.[].consumer'"))
@output_option
@click.pass_obj
def list_(context: Global, output: str) -> int:
    """List keys: their ids, whose they are, when they were made and when they end."""
    from shoal.local import keys, layout

    known = keys.read(layout.layout_of(context.root).secrets)
    if output == "json":
        print_json([{"id": k.id, "consumer": k.consumer, "made": k.made, "expires": k.expires} for k in known])
    elif known:
        print_table(["KEY", "CONSUMER", "MADE", "ENDS"], [[k.id, k.consumer, _day(k.made), _end(k)] for k in known])
    else:
        say("no keys")
    return OK


@command.command("revoke", epilog=examples("shoal keys revoke 5f0c1f2a9b3d"))
@click.argument("id_", metavar="KEY")
@click.pass_obj
@acts("revoke key", "id_")
def revoke(context: Global, id_: str) -> int:
    """End a key: the gateway refuses it at once, and every service within five seconds."""
    from shoal.local import keys, layout

    gone = keys.revoke(layout.layout_of(context.root).secrets, id_)
    _tell(context)
    say(f"key {gone.id} of {gone.consumer} opens nothing any more")
    return OK


def _tell(context: Global) -> None:
    """Give the gateway the keys as they are now, if it runs; services look for themselves."""
    from shoal.local import key_sets, layout
    from shoal.operating.engines import engines

    try:
        site = engines(context).site
    except HostError:
        return
    if site.mesh is not None:
        key_sets.renew(site.plan, layout.layout_of(context.root), site.mesh)


def _end(key: Key) -> str:
    return _day(key.expires) if key.expires > time.time() else f"{_day(key.expires)} (over)"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
