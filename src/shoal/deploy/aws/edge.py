"""The door from outside: an HTTP API with the routes that are exposed, and nothing else."""

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from shoal.deploy.aws.resources import Certificate, Door, Pool, Resource
from shoal.deploy.aws.resources import Route as Served
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.values import Ref, Value, join
from shoal.deploy.kubernetes.scope import drain
from shoal.model.plan import Route
from shoal.model.untrusted import UNTRUSTED

LONGEST = 30.0
"""Seconds that an HTTP API waits for an answer (API Gateway quotas)."""

SERVICE = "x-shoal-service"
"""Header by which the balancer inside knows where a request goes; what a client says in it is overwritten."""

CLIENT = "x-shoal-client"
"""Header by which the firewall tells callers apart: the address that the API saw, whatever they say of themselves."""

_FIXED = ("access-control-", "apigw-", "x-amz-", "x-amzn-")
_FIXED_NAMES = frozenset(
    {"authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded", "keep-alive"}
    | {"origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade", "via"}
    | {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
)
"""Headers that an HTTP API does not let be changed (API Gateway, "Reserved headers")."""


def make(scope: Scope) -> Iterator[Resource]:
    """Make the door, and the pool of its users."""
    environment, cors = scope.environment, scope.plan.system.gateway.cors
    host = environment.hosts[0] if environment.hosts else ""
    if environment.cognito:
        yield Pool(name="main", protected=environment.protected, host=host)
    if not scope.plan.routes or environment.eks:
        return
    made = environment.zone and not environment.certificate
    if made:
        why = "Its own record proves whose name it is."
        yield Certificate(name="main", host=host, zone=environment.zone, proven=_proven(scope), why=why)
    door = Door(
        name="main",
        routes=tuple(_route(scope, route) for route in served(scope)),
        targets={name: drain(scope.plan.system.service(name)) for name in scope.exposed},
        authorizers=authorizers(scope),
        host=host,
        certificate=Ref("certificate", "main") if made else environment.certificate,
        zone=environment.zone,
        part=_part(scope),
        web_acl=environment.web_acl,
        origins=cors.origins if cors is not None else (),
        methods=(cors.methods or tuple(sorted({r.method for r in scope.plan.routes}))) if cors is not None else (),
        headers=cors.headers if cors is not None else (),
        exposed=cors.exposed if cors is not None else (),
        credentials=cors.credentials if cors is not None else False,
        age=int(cors.max_age) if cors is not None else 0,
    )
    yield door


def _proven(scope: Scope) -> bool:
    """Tell whether the first region proves the name: the record is the same for each certificate of an account."""
    return scope.first is not None and bool(scope.first.zone) and not scope.first.certificate


def _part(scope: Scope) -> Literal["", "first", "second"]:
    if not scope.environment.zone:
        return ""
    if scope.passive:
        return "second"
    return "first" if scope.environment.standby is not None else ""


def served(scope: Scope) -> list[Route]:
    """List the routes that an HTTP API can serve: no conversations, and each method and path once."""
    found: dict[str, Route] = {}
    for route in scope.plan.routes:
        if route.edge.socket is None:
            found.setdefault(_key(route), route)
    return list(found.values())


def authorizers(scope: Scope) -> Mapping[str, tuple[Value, tuple[Value, ...]]]:
    """Say whose tokens the door verifies; a route can name one issuer, so several are left to the services."""
    gateway = scope.plan.system.gateway
    found: dict[str, tuple[Value, tuple[Value, ...]]] = {
        issuer.name: (issuer.issuer, issuer.audiences)
        for issuer in gateway.issuers
        if issuer.issuer.startswith("https://") and issuer.remote
    }
    if scope.environment.cognito:
        issuer = join(f"https://cognito-idp.{scope.environment.region}.amazonaws.com/", Ref("pool", "main", "id"))
        found["pool"] = (issuer, (Ref("pool", "main", "client"),))
    others = len(gateway.issuers) + scope.environment.cognito - len(found)
    alone = len(found) == 1 and not others and gateway.issuer is None and not gateway.consumers
    return found if alone else {}


def fixed(header: str) -> bool:
    """Tell whether an HTTP API refuses to change a header."""
    return header.lower() in _FIXED_NAMES or header.lower().startswith(_FIXED)


def _key(route: Route) -> str:
    return f"{route.method} {route.path}"


def _route(scope: Scope, route: Route) -> Served:
    authorizer = next(iter(authorizers(scope)), "") if route.access.kind == "principal" else ""
    limit = route.edge.limit
    rate = None
    if limit is not None and limit.by == "everyone":
        rate = (max(1, math.ceil(limit.requests / limit.per)), limit.size)
    return Served(
        key=_key(route),
        service=route.service,
        parameters=_parameters(route),
        authorizer=authorizer,
        seconds=min(max(route.policy.timeout, 0.05), LONGEST),
        limit=rate,
    )


def _parameters(route: Route) -> dict[str, str]:
    """Say what is changed: who is meant, what nobody may say, and what the author asks for."""
    found = {
        f"overwrite:header.{SERVICE}": route.service,
        f"overwrite:header.{CLIENT}": "$context.identity.sourceIp",
    }
    found |= {f"remove:header.{name}": "''" for name in UNTRUSTED if not fixed(name)}
    if route.inside != route.path:
        inside = "/".join(f"${{request.path.{p[1:-1]}}}" if p.startswith("{") else p for p in route.inside.split("/"))
        found["overwrite:path"] = inside
    transform = route.edge.transform
    if transform is not None:
        asked = transform.request
        found |= {f"overwrite:header.{name}": value for name, value in asked.set.items() if not fixed(name)}
        found |= {f"append:header.{name}": value for name, value in asked.add.items() if not fixed(name)}
        found |= {f"remove:header.{name}": "''" for name in asked.remove if not fixed(name)}
        found |= {f"overwrite:querystring.{name}": value for name, value in transform.query.set.items()}
        found |= {f"remove:querystring.{name}": "''" for name in transform.query.remove}
    return found
