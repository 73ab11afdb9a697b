"""``shoal open``."""

import click

from shoal.cli.output import examples, say
from shoal.cli.program import OK, Global
from shoal.errors import HostError

_EXAMPLES = examples("shoal open", "shoal open traces", "shoal open --print map")


@click.command("open", epilog=_EXAMPLES)
@click.argument("page", default="")
@click.option("--print", "only_print", is_flag=True, help="Print the link and open nothing.")
@click.pass_obj
def command(context: Global, /, page: str, only_print: bool) -> int:
    """Open the dashboard of what runs, or ran, here in the browser.

    PAGE is one of its pages, such as traces, logs, map or sagas. The link has the token that lets you in; whoever has
    the link can do what you can. When nothing runs, the recorded runs are shown until Ctrl-C.
    """
    from shoal.local.dashboard import linked
    from shoal.local.state import read_state
    from shoal.operating.running import alive, current

    state = read_state(context.root)
    if (state is None or not alive(state)) and _recorded(context) and not only_print:
        return _show(context, page)
    link = linked(current(context.root), page)
    if link is None:
        raise HostError("the system runs without a dashboard", hint="start it without --no-telemetry")
    _open(link, show=not only_print)
    return OK


def _recorded(context: Global) -> bool:
    from shoal.dashboard.store import runs

    return bool(runs.numbers(runs.folder_of(context.root)))


def _show(context: Global, page: str) -> int:
    """Serve the recorded runs of a system that does not run, until Ctrl-C."""
    import asyncio

    from shoal.dashboard.process import show
    from shoal.local.dashboard import FIRST_PORT, Settings, link, token, token_file
    from shoal.local.layout import layout_of
    from shoal.local.ports import LOOPBACK, first_free
    from shoal.operating import project

    place = layout_of(context.root)
    file, port = token_file(place), first_free(FIRST_PORT)
    settings = Settings(
        folder=str(place.telemetry), port=port, token=str(file), root=str(context.root), entry=project.entry(context)
    )
    address = link(f"http://{LOOPBACK}:{port}", token(file), page)
    say("nothing runs: this is what was recorded; Ctrl-C ends it")
    asyncio.run(show(settings, lambda: _open(address, show=True)))
    return OK


def _open(link: str, *, show: bool) -> None:
    click.echo(link)
    if show and not _opened(link):
        say("no browser was found here; open the link yourself")


def _opened(link: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False
