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
    """Open the dashboard of what runs here in the browser.

    PAGE is one of its pages, such as traces, logs, map or sagas. The link has the token that lets you in; whoever has
    the link can do what you can.
    """
    from shoal.local.dashboard import linked
    from shoal.operating.running import current

    state = current(context.root)
    link = linked(state, page)
    if link is None:
        raise HostError("the system runs without a dashboard", hint="start it without --no-telemetry")
    click.echo(link)
    if not only_print and not _opened(link):
        say("no browser was found here; open the link yourself")
    return OK


def _opened(link: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False
