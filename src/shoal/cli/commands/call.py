"""``shoal call``."""

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from shoal.cli.output import examples, say
from shoal.cli.program import FOUND, OK, Global

if TYPE_CHECKING:
    from shoal import model
    from shoal.operating.requests import Answer, Request

_REFUSED = 400


_EXAMPLES = examples(
    "shoal call tasks.add title='Buy milk'",
    "shoal call tasks.show task_id=7 --as alice",
    "shoal call orders.cancel order_id=7 --role admin",
    "shoal call products.prices skus=KIT-0160 --from orders",
    'shoal call tasks.add --body \'{"title": "Buy milk"}\'',
)


@click.command("call", epilog=_EXAMPLES)
@click.argument("target", metavar="SERVICE.ENDPOINT")
@click.argument("values", nargs=-1, metavar="[K=V]...")
@click.option(
    "--as", "subject", default="", help="Call as this principal; `dev` where one is needed and none is named."
)
@click.option("--role", "roles", multiple=True, help="A role of theirs; can be repeated.")
@click.option("--claim", "claims", multiple=True, metavar="K=V", help="A further claim of theirs.")
@click.option("--body", default="", help="The whole body, as JSON; `-` reads standard input.")
@click.option("--header", "headers", multiple=True, metavar="NAME=V", help="A further header.")
@click.option("--from", "caller", default="", metavar="SERVICE", help="Call from inside the mesh, as this service.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds to wait for the answer.")
@click.pass_obj
def command(context: Global, /, target: str, values: tuple[str, ...], **options: Any) -> int:
    """Send a typed request through the gateway, with a signed local token where one is needed.

    With --from it goes through the proxy of a service instead, which may call what that service declared.

    K=V fills path, query and header parameters by name; what is left becomes the body. The body of the answer goes
    to standard output, its status to standard error. Exits with 1 when the answer is a refusal (status 400 and up).
    """
    from shoal.cli import arguments
    from shoal.operating import project, requests
    from shoal.operating.running import current

    run = current(context.root)
    system = project.read(context)
    caller = requests.Caller(
        subject=options["subject"],
        roles=options["roles"],
        claims=arguments.pairs(options["claims"], option="--claim"),
        service=options["caller"],
    )
    endpoint = requests.endpoint(system, target, inside=bool(caller.service))
    given = {v.partition("=")[0]: v.partition("=")[2] for v in values}
    further = {k: str(v) for k, v in arguments.pairs(options["headers"], option="--header").items()}
    schemas = system.service(target.partition(".")[0]).schemas
    try:
        fields = _fields(endpoint, schemas, given, arguments.pairs(values, option="K=V"))
        requests.refuse_unknown(endpoint, schemas, fields)
        body = _whole(options["body"]) if options["body"] else requests.body_of(endpoint, fields)
        request = requests.made(context, system, target, given, body=body, headers=further, caller=caller)
    except requests.Unfit as error:
        raise click.UsageError(error.message) from error
    return _show(request, requests.send(run, request, options["timeout"]))


def _fields(
    endpoint: "model.Endpoint", schemas: Mapping[str, Any], given: Mapping[str, str], typed: Mapping[str, Any]
) -> dict[str, Any]:
    """Leave for the body what is no parameter."""
    texts = _texts(endpoint, schemas)
    taken = {p.name for p in endpoint.parameters}
    return {k: given[k] if k in texts else v for k, v in typed.items() if k not in taken}


def _texts(endpoint: "model.Endpoint", schemas: Mapping[str, Any]) -> set[str]:
    """Name the fields of the body that are text and nothing else, so that ``isbn=978`` stays text."""
    from shoal.operating.requests import body_schema

    properties = body_schema(endpoint, schemas).get("properties", {})
    return {name for name, field in properties.items() if field.get("type") == "string"}


def _whole(given: str) -> bytes:
    """Read the whole body from the command line, or from standard input."""
    text = sys.stdin.read() if given == "-" else given
    try:
        json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"this is not JSON: {error}", param_hint="--body") from error
    return text.encode()


def _show(request: "Request", answer: "Answer") -> int:
    say(f"{answer.status} {answer.reason}  {request.method} {request.path}")
    for name in ("location", "x-trace-id"):
        if found := answer.headers.get(name):
            say(f"{name}: {found}")
    if answer.body:
        click.echo(_pretty(answer.body))
    return FOUND if answer.status >= _REFUSED else OK


def _pretty(text: bytes) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text.decode("utf-8", "replace")
