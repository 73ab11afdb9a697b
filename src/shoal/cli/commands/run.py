"""``shoal run``."""

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.output import examples, say
from shoal.cli.program import BEGAN, FOUND, INTERRUPTED, OK, Global, complain
from shoal.errors import EngineError, HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.local.ground import Ground
    from shoal.local.supervisor import Supervisor
    from shoal.model.target import Mesh

_EXAMPLES = examples(
    "shoal run                            start everything, reload on save, stop with Ctrl-C",
    "shoal run --replicas orders=3        three processes of one service behind the proxy",
    "shoal run --sidecars                 one proxy per service, as in a cluster",
    "shoal run --one-process              all services in one process, without the proxy",
    "shoal run --detach --wait            return once everything answers; see `shoal ps`",
    "shoal run --tls                      https, with a certificate of the system's own",
    "shoal run --fresh --port 9000        empty databases, another port",
    "shoal run --engine broker=kafka      another engine; see docs/how-to/engines.md",
)


@click.command("run", epilog=_EXAMPLES)
@click.option("--one-process", is_flag=True, help="Run all services in one process, without the proxy.")
@click.option(
    "--sidecars", is_flag=True, help="Run one proxy per service, as clusters do; the same as --mesh sidecars."
)
@click.option(
    "--mesh",
    type=click.Choice(("shared", "sidecars", "off")),
    default="shared",
    help="Who carries calls between services: one proxy for all (the default), one for each, or nobody.",
)
@click.option("--replicas", multiple=True, metavar="SERVICE=N", help="Processes of a service; can be repeated.")
@click.option(
    "--engine", "engines", multiple=True, metavar="NAME=ENGINE",
    help="Another engine: broker=..., SERVICE.store=..., SERVICE.objects=..., SERVICE.search=...; can be repeated.",
)  # fmt: skip
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the gateway.")
@click.option("--tls", is_flag=True, help="Serve TLS at the gateway, with a certificate of the system's own authority.")
@click.option("--fresh", is_flag=True, help="Empty every database, stream and mailbox first.")
@click.option("--detach", is_flag=True, help="Go on in the background.")
@click.option("--wait", is_flag=True, help="Fail when a service cannot start; with --detach, return once all answer.")
@click.option("--no-reload", is_flag=True, help="Do not replace a service when its files change.")
@click.option("--no-telemetry", is_flag=True, help="Record no traces, logs and metrics, and run no dashboard.")
@click.option("--into", type=click.Path(path_type=Path), hidden=True, help="Print to this file (used by --detach).")
@click.pass_obj
def command(
    context: Global,
    /,
    one_process: bool,
    replicas: tuple[str, ...],
    engines: tuple[str, ...],
    port: int | None,
    into: Path | None,
    mesh: "Mesh",
    **flags: bool,
) -> int:
    """Start the system here and keep it running.

    Engines (PostgreSQL, NATS, Envoy) come from the packages of shoal[local]; no Docker and no root are needed.
    With --engine one part runs on another, such as --engine broker=kafka; the services do not change.
    """
    sizes = dict(_size(text) for text in replicas)
    if flags["sidecars"] and mesh == "off":
        raise click.UsageError("--sidecars and --mesh off contradict each other: leave one of them out")
    mesh = "sidecars" if flags["sidecars"] else mesh
    if flags["detach"]:
        from shoal.cli.detach import detach

        chosen = [word for text in engines for word in ("--engine", text)]
        words = (*_again(one_process, replicas, port, flags), "--mesh", mesh, *chosen)
        with _meaning(context, engines):
            return detach(context, words, wait=flags["wait"])
    if into is not None:
        _print_into(into)
    elif context.verbosity >= 0:
        say(f"shoal · {context.root.name} · Ctrl-C stops it")
    return asyncio.run(_run(context, _Wish(one_process, sizes, engines, port or 0, mesh, flags)))


class _Wish:
    """What the options ask for."""

    def __init__(
        self,
        one_process: bool,
        sizes: dict[str, int],
        engines: tuple[str, ...],
        port: int,
        mesh: "Mesh",
        flags: dict[str, bool],
    ) -> None:
        self.one_process, self.sizes, self.engines = one_process, sizes, engines
        self.port, self.mesh, self.flags = port, mesh, flags


async def _run(context: Global, wish: _Wish) -> int:
    from shoal.local.ground import take
    from shoal.local.state import copied_from
    from shoal.operating import project

    project.require(context)
    if (original := copied_from(context.root)) is not None:
        say(f"this project is a copy of {original}, which is left alone; it begins anew where that one was at work")
    with _meaning(context, wish.engines):
        ground = await take(context.root)  # first: its fork server imports while we read
    try:
        supervisor = _supervisor(context, wish, ground)
    except BaseException:
        await ground.leave()
        raise
    seen: list[int] = []
    _on_signals(supervisor, seen)
    try:
        await supervisor.run()
    except EngineError as error:
        if all(p.status != "failed" for p in supervisor.state.processes if p.kind == "service"):
            raise  # an engine, so this machine
        complain(error)
        return FOUND
    say("stopped")
    return INTERRUPTED if signal.SIGINT in seen else OK


@contextmanager
def _meaning(context: Global, engines: tuple[str, ...]) -> "Iterator[None]":
    """Say what is wrong with the choice of engines rather than that nothing can be started now."""
    try:
        yield
    except HostError:
        from shoal.model.choice import choose
        from shoal.model.target import LOCAL
        from shoal.operating import project

        if engines:
            choose(LOCAL, project.read(context), engines)
        raise


def _supervisor(context: Global, wish: _Wish, ground: "Ground") -> "Supervisor":
    from shoal.cli.console import Console
    from shoal.local.supervisor import Options, Supervisor
    from shoal.model.choice import choose
    from shoal.model.plan import plan
    from shoal.model.target import LOCAL, ONE_PROCESS, with_options
    from shoal.operating import project

    system = project.read(context)
    shape = ONE_PROCESS if wish.one_process else LOCAL
    target = with_options(shape, replicas=wish.sizes, port=wish.port, tls=wish.flags["tls"], mesh=wish.mesh)
    target = choose(target, system, wish.engines)
    decided = plan(system, target).require()
    for finding in decided.findings:
        say(f"{finding.severity}: {finding.code} {finding.message}")
    options = Options(
        entry=project.entry(context),
        fresh=wish.flags["fresh"],
        reload=not wish.flags["no_reload"],
        dashboard=not wish.flags["no_telemetry"],
        strict=wish.flags["wait"],
        reporter=Console(verbosity=context.verbosity, began=BEGAN),
    )
    return Supervisor(decided, context.root, options, ground=ground)


def _on_signals(supervisor: "Supervisor", seen: list[int]) -> None:
    """Stop in order at the first signal, at once at the second; `seen` collects them."""
    ending: list[asyncio.Task[None]] = []

    def asked(number: int) -> None:
        seen.append(number)
        if len(seen) == 1:
            say("\nstopping; Ctrl-C again ends everything at once")
            supervisor.request_stop()
        else:
            ending.append(asyncio.create_task(supervisor.kill()))

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked, number)


def _size(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if not name or not count.isdigit():
        raise click.BadParameter(f"{text!r} is not SERVICE=N", param_hint="--replicas")
    return name, int(count)


def _again(one_process: bool, replicas: tuple[str, ...], port: int | None, flags: dict[str, bool]) -> tuple[str, ...]:
    """Spell the options again, for the process in the background."""
    words = ["--one-process"] if one_process else []
    words += [word for text in replicas for word in ("--replicas", text)]
    words += ["--port", str(port)] if port else []
    names = {"fresh": "--fresh", "tls": "--tls", "wait": "--wait", "no_reload": "--no-reload"}
    names |= {"no_telemetry": "--no-telemetry"}
    return (*words, *(option for name, option in names.items() if flags[name]))


def _print_into(file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise HostError(f"cannot write {file}: {error.strerror}", hint="check its folder") from error
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
