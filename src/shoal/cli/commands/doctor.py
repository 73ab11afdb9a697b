"""``shoal doctor``."""

import os
import platform
import shutil
import sys

import click
import msgspec

from shoal.cli import output
from shoal.cli.output import examples
from shoal.cli.program import ENVIRONMENT, OK, Global

_NEEDED_PYTHON = (3, 11)
_MIB = 1024 * 1024
_NEEDED_MIB = 512
_FREE_WATCHES = 64
"""What a system of ten services needs of them."""
_INSTALL = "pip install 'shoal[local]'"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing this machine offers or lacks."""

    name: str
    ok: bool
    found: str
    needed: bool = True
    """Whether nothing works without it."""
    fix: str = ""


_EXAMPLES = examples(
    "shoal doctor",
    "shoal doctor -o json",
)


@click.command("doctor", epilog=_EXAMPLES)
@output.output_option
@click.pass_obj
def command(context: Global, output: str) -> int:
    """Check what this machine offers: Python, engines, disk, ports, user namespaces.

    Exits with 3 when something is missing that `shoal run` needs.
    """
    checks = [
        _python(),
        _platform(),
        *_engines(),
        *_warehouses(context),
        *_key_rings(context),
        *_searches(context),
        _space(context),
        _port(context),
        _sockets(context),
        _namespaces(),
        _watches(),
        _cores(),
    ]
    if output == "json":
        _json(checks)
    else:
        _table(checks)
    return ENVIRONMENT if any(c.needed and not c.ok for c in checks) else OK


def _json(checks: list[Check]) -> None:
    output.print_json(checks)


def _table(checks: list[Check]) -> None:
    for check in checks:
        colour = "green" if check.ok else "red" if check.needed else "yellow"
        mark = output.style("✓" if check.ok else "!", sys.stdout, fg=colour)
        click.echo(f"{mark} {check.name:<18} {check.found}", color=True)
        if check.fix:
            click.echo(f"  {'':<18} fix: {check.fix}")


def _python() -> Check:
    ok = sys.version_info[:2] >= _NEEDED_PYTHON
    return Check(
        name="python", ok=ok, found=f"{platform.python_version()} at {sys.executable}",
        fix="" if ok else "install Python 3.11 or newer",
    )  # fmt: skip


def _platform() -> Check:
    ok = sys.platform in ("linux", "darwin")
    found = f"{platform.system()} {platform.machine()}"
    return Check(name="platform", ok=ok, found=found, fix="" if ok else "use Linux, macOS, or WSL 2 on Windows")


def _engines() -> list[Check]:
    from shoal.errors import HostError
    from shoal.local.engines import KINDS

    checks = []
    for kind in KINDS:
        try:
            kind.locate()
        except HostError as error:
            checks.append(
                Check(
                    name=kind.name,
                    ok=False,
                    needed=kind.needed,
                    found=f"{error.message} ({kind.purpose})",
                    fix=error.hint or _INSTALL,
                )
            )
        else:
            what = " ".join(filter(None, (kind.distribution, kind.version)))
            checks.append(Check(name=kind.name, ok=True, found=f"{what} ({kind.purpose})"))
    return checks


def _warehouses(context: Global) -> list[Check]:
    """Look for the libraries of embedded warehouses, where the project has such a warehouse."""
    from importlib.metadata import PackageNotFoundError, version

    from shoal.errors import ShoalError
    from shoal.model import catalog
    from shoal.operating import project

    try:
        used = {s.warehouse.engine for s in project.read(context).services if s.warehouse}
    except ShoalError:
        return []
    checks = []
    for row in (catalog.engine(name, kind="warehouse") for name in sorted(used)):
        try:
            found = f"{row.wheel} {version(row.wheel)} (warehouse of facts)"
        except PackageNotFoundError:
            lacking, fix = f"{row.wheel} is not installed", "pip install 'shoal[warehouse]'"
            checks.append(Check(name=row.name, ok=False, found=lacking, fix=fix))
        else:
            checks.append(Check(name=row.name, ok=True, found=found))
    return checks


def _key_rings(context: Global) -> list[Check]:
    """Have every service's key ring wrap and unwrap something, where it is another than the file of this machine."""
    import asyncio

    from shoal.errors import ShoalError
    from shoal.local.environment import KEY_RING, of_service
    from shoal.operating import project

    chosen = os.environ.get(KEY_RING, "")
    try:
        personal = [service.name for service in project.read(context).services if service.personal] if chosen else []
    except ShoalError:
        return []
    checks = []
    for name in personal:
        try:
            asyncio.run(_wrapped(of_service(chosen, name)))
        except ShoalError as error:
            checks.append(Check(name=f"keys of {name}", ok=False, found=error.message, fix=error.hint))
        else:
            checks.append(Check(name=f"keys of {name}", ok=True, found="its key ring wraps and unwraps"))
    return checks


def _searches(context: Global) -> list[Check]:
    """Ask the cluster of OpenSearch that is named, and say how to name one, where the project has indexes."""
    import asyncio

    from shoal.errors import ShoalError
    from shoal.local.environment import SEARCH, of_service
    from shoal.operating import project

    chosen = os.environ.get(SEARCH, "")
    try:
        found = {service.name: service.search.indexes for service in project.read(context).services if service.search}
    except ShoalError:
        return []
    checks = []
    for name, indexes in found.items():
        title = f"search of {name}"
        if not chosen:
            fix = f"for --engine {name}.search=opensearch set {SEARCH}=opensearch://USER:PASSWORD@HOST:9200/{{service}}?tls=1"
            found_here = "PostgreSQL is searched; no OpenSearch is named"
            checks.append(Check(name=title, ok=False, needed=False, found=found_here, fix=fix))
            continue
        try:
            asyncio.run(_pointed(of_service(chosen, name), indexes[0].name))
        except ShoalError as error:
            checks.append(Check(name=title, ok=False, needed=False, found=error.message, fix=error.hint))
        else:
            checks.append(Check(name=title, ok=True, found="OpenSearch answers"))
    return checks


async def _pointed(url: str, index: str) -> None:
    from shoal.drivers import open_search

    search = open_search(url)
    try:
        await search.pointed(index)
    finally:
        await search.close()


async def _wrapped(url: str) -> None:
    from shoal.drivers import open_key_ring
    from shoal.errors import EngineError

    ring = open_key_ring(url)
    try:
        tried = os.urandom(32)
        if await ring.unwrap(await ring.wrap(tried, "shoal doctor"), "shoal doctor") != tried:
            raise EngineError("the key ring gives back another key than it was given", hint="use another")
    finally:
        await ring.close()


def _space(context: Global) -> Check:
    free = shutil.disk_usage(context.root).free // _MIB
    ok = free >= _NEEDED_MIB
    return Check(
        name="disk",
        ok=ok,
        found=f"{free} MiB free at {context.root}",
        fix="" if ok else f"free {_NEEDED_MIB} MiB of space",
    )


def _port(context: Global) -> Check:
    from shoal.errors import HostError, ShoalError
    from shoal.local.ports import check_port
    from shoal.local.state import read_state
    from shoal.operating import project

    try:
        port = project.read(context).gateway.port
    except ShoalError:
        port = 8000
    try:
        check_port(port)
    except HostError as error:
        from shoal.operating.running import alive

        state = read_state(context.root)
        if state is not None and alive(state) and state.gateway.endswith(f":{port}"):
            return Check(name="port", ok=True, found=f"{port} is used by this project (pid {state.pid})")
        return Check(name="port", ok=False, needed=False, found=error.message, fix=error.hint)
    return Check(name="port", ok=True, found=f"{port} is free")


def _sockets(context: Global) -> Check:
    from shoal.errors import HostError
    from shoal.local.host import require_socket_path
    from shoal.local.layout import layout_of

    folder = layout_of(context.root).sockets
    try:
        require_socket_path(folder / ("x" * 40 + ".9999"))
    except HostError as error:
        return Check(name="sockets", ok=False, found=error.message, fix="set TMPDIR to a folder with a short path")
    return Check(name="sockets", ok=True, found=str(folder))


def _namespaces() -> Check:
    """PostgreSQL refuses to be root; a user namespace is how root starts it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return Check(name="user", ok=True, found=f"uid {os.geteuid()}, an ordinary user" if os.geteuid() else "root")
    import asyncio

    from shoal.errors import HostError
    from shoal.local.engines import postgres
    from shoal.local.privilege import namespace

    try:
        works = asyncio.run(namespace(postgres.locate())) is not None
    except HostError:
        works = False
    found = "root, with user namespaces" if works else "root, without user namespaces: PostgreSQL will run as nobody"
    fix = "" if works else "run as an ordinary user, or allow user namespaces (`unshare --user true`)"
    return Check(name="user", ok=works, needed=False, found=found, fix=fix)


def _watches() -> Check:
    """Envoy watches each part of its configuration through an inotify instance of its own, six per service."""
    from shoal.local import proxies

    limit, used = proxies.watchable(), proxies.watching()
    ok = limit - used >= _FREE_WATCHES
    wanted = max(proxies.ENOUGH_WATCHES, used + _FREE_WATCHES)
    return Check(
        name="file watches",
        ok=ok,
        needed=False,
        found=f"{limit} inotify instances per user, {used} taken",
        fix="" if ok else f"sudo sysctl fs.inotify.max_user_instances={wanted}, or stop another system (shoal ps)",
    )


def _cores() -> Check:
    count = os.cpu_count() or 1
    return Check(
        name="processors", ok=count > 1, needed=False, found=str(count), fix="" if count > 1 else "give it two or more"
    )
