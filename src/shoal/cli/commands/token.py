"""``shoal token``."""

import click

from shoal.cli.output import examples
from shoal.cli.program import Global

_EXAMPLES = examples(
    "shoal token --sub customer-1",
    'curl -H "Authorization: Bearer $(shoal token --role admin)" http://127.0.0.1:8000/orders',
)


@click.command("token", epilog=_EXAMPLES)
@click.option("--sub", "subject", default="dev", show_default=True, help="Who the token is for.")
@click.option("--role", "roles", multiple=True, help="A role of theirs; can be repeated.")
@click.option("--claim", "claims", multiple=True, metavar="K=V", help="A further claim; V is JSON or text.")
@click.option("--lifetime", default=3600.0, show_default=True, help="Seconds until it expires.")
@click.pass_obj
def command(context: Global, subject: str, roles: tuple[str, ...], claims: tuple[str, ...], lifetime: float) -> None:
    """Print a token that the local gateway and services accept, signed with the project's own key."""
    from shoal.cli import arguments
    from shoal.operating import project
    from shoal.operating.tokens import sign

    extra = arguments.pairs(claims, option="--claim")
    click.echo(sign(context.root, project.read(context), subject, roles, extra, lifetime))
