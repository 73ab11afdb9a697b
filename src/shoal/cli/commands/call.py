"""``shoal call``."""

import http.client
import json
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

import click

from shoal import model
from shoal.cli.output import examples, say
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError, HostError
from shoal.local.state import RunState
from shoal.model.listing import host_of
from shoal.model.service import Schema

_REFUSED = 400
_METHODS_WITH_BODY = ("POST", "PUT", "PATCH")


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
    from shoal.cli import arguments, project
    from shoal.cli.running import current

    run = current(context.root)
    system = project.read(context)
    endpoint = _endpoint(system, target, inside=bool(options["caller"]))
    given = dict(zip((v.partition("=")[0] for v in values), (v.partition("=")[2] for v in values), strict=True))
    typed = arguments.pairs(values, option="K=V")
    path, headers = _fill(endpoint, given)
    headers |= {k: str(v) for k, v in arguments.pairs(options["headers"], option="--header").items()}
    headers |= _authorization(context, system, endpoint, options)
    taken = {p.name for p in endpoint.parameters}
    name = target.partition(".")[0]
    schemas = system.service(name).schemas
    texts = _texts(endpoint, schemas)
    fields = {k: given[k] if k in texts else v for k, v in typed.items() if k not in taken}
    _refuse_unknown(endpoint, schemas, fields)
    body = _body(endpoint, fields, options["body"])
    if body is not None:
        headers["Content-Type"] = "application/json"
    if endpoint.idempotent and "Idempotency-Key" not in headers:
        import uuid

        headers["Idempotency-Key"] = str(uuid.uuid4())
    request = _Request(run, endpoint.method, path, headers, body, options["timeout"])
    if options["caller"]:
        from shoal.cli.inside import outbound

        request.socket = outbound(context.root, options["caller"])
        request.headers.setdefault("Host", host_of(name))
    return _send(request)


class _Request:
    """One request through the gateway."""

    def __init__(
        self, run: RunState, method: str, path: str, headers: dict[str, str], body: bytes | None, timeout: float
    ) -> None:
        self.gateway, self.authority = run.gateway, run.authority
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.timeout = timeout
        self.socket = ""
        """Where a service sends its calls, for a request from inside."""


def _endpoint(system: model.System, target: str, *, inside: bool = False) -> model.Endpoint:
    name, _, wanted = target.partition(".")
    service = system.service(name)
    endpoint = service.endpoint(wanted.replace("-", "_")) or service.endpoint(wanted)
    if endpoint is None:
        known = ", ".join(f"{name}.{e.name}" for e in service.endpoints if e.exposed)
        raise DeclarationError(
            f"service {name} has no endpoint {wanted!r}", hint=f"exposed endpoints: {known or 'none'}"
        )
    if not endpoint.exposed and not inside:
        raise DeclarationError(
            f"{target} is internal: the gateway has no route to it", where=endpoint.source,
            hint="only services that declared the call reach it; call as one of them: --from SERVICE",
        )  # fmt: skip
    return endpoint


def _texts(endpoint: model.Endpoint, schemas: dict[str, Schema]) -> set[str]:
    """Name the fields of the body that are text and nothing else, so that ``isbn=978`` stays text."""
    properties = _schema(endpoint, schemas).get("properties", {})
    return {name for name, field in properties.items() if field.get("type") == "string"}


def _schema(endpoint: model.Endpoint, schemas: dict[str, Schema]) -> Schema:
    """Return the schema of the body."""
    schema = endpoint.request or {}
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def _refuse_unknown(endpoint: model.Endpoint, schemas: dict[str, Schema], fields: Iterable[str]) -> None:
    """Refuse a field that the service would ignore."""
    schema = _schema(endpoint, schemas)
    known = schema.get("properties")
    odd = [name for name in fields if known is not None and name not in known]
    if odd and not schema.get("additionalProperties"):
        all_ = ", ".join((*(p.name for p in endpoint.parameters), *(known or ())))
        raise click.UsageError(f"{endpoint.name} does not take {', '.join(odd)}; it takes: {all_ or 'nothing'}")


def _fill(endpoint: model.Endpoint, given: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Put values into the path, the query and the headers."""
    path, query, headers = endpoint.path, {}, {}
    for parameter in endpoint.parameters:
        if parameter.name not in given:
            if parameter.required:
                raise click.UsageError(
                    f"{parameter.place} parameter {parameter.name} is missing: add {parameter.name}=..."
                )
            continue
        text = given[parameter.name]
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(text, safe=""))
        elif parameter.place == "query":
            query[parameter.name] = text
        else:
            headers[parameter.name] = text
    return f"{path}?{urlencode(query)}" if query else path, headers


def _authorization(
    context: Global, system: model.System, endpoint: model.Endpoint, options: dict[str, Any]
) -> dict[str, str]:
    asked = options["subject"] or options["roles"] or options["claims"]
    if endpoint.access.kind != "principal" and not asked:
        return {}
    from shoal.cli import arguments
    from shoal.cli.tokens import sign

    claims = arguments.pairs(options["claims"], option="--claim")
    token = sign(context.root, system, options["subject"] or "dev", options["roles"], claims)
    return {"Authorization": f"Bearer {token}"}


def _body(endpoint: model.Endpoint, fields: dict[str, Any], given: str) -> bytes | None:
    if given:
        text = sys.stdin.read() if given == "-" else given
        try:
            json.loads(text)
        except ValueError as error:
            raise click.BadParameter(f"this is not JSON: {error}", param_hint="--body") from error
        return text.encode()
    if endpoint.method in _METHODS_WITH_BODY and (fields or endpoint.request is not None):
        return json.dumps(fields).encode()
    if fields:
        known = ", ".join(p.name for p in endpoint.parameters) or "none"
        raise click.UsageError(f"{endpoint.name} does not take {', '.join(fields)}; its parameters: {known}")
    return None


def _connection(request: _Request) -> http.client.HTTPConnection:
    if request.socket:
        from shoal.cli.inside import Outbound

        return Outbound(request.socket, request.timeout)
    from shoal.local.front import connection

    return connection(request.gateway, request.authority, request.timeout)


def _send(request: _Request) -> int:
    connection = _connection(request)
    try:
        connection.request(request.method, request.path, request.body, request.headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise HostError(
            f"{request.method} {request.gateway}{request.path} got no answer: {error}",
            hint="see `shoal ps` and `shoal logs`",
        ) from error
    finally:
        connection.close()
    say(f"{answer.status} {answer.reason}  {request.method} {request.path}")
    for name in ("Location", "X-Trace-Id"):
        if found := answer.getheader(name):
            say(f"{name.lower()}: {found}")
    if text:
        click.echo(_pretty(text))
    return FOUND if answer.status >= _REFUSED else OK


def _pretty(text: bytes) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text.decode("utf-8", "replace")
