"""The door from outside, by Gateway API: a Gateway for each environment, routes to what is exposed, nothing else."""

from collections.abc import Iterable, Iterator

from shoal.deploy.kubernetes import paths
from shoal.deploy.kubernetes.kinds.gateway import gateway, https
from shoal.deploy.kubernetes.kinds.httproute import MATCHES, backend, httproute, portions
from shoal.deploy.kubernetes.naming import joined
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing, sheet
from shoal.deploy.yaml import Json, Noted, plain
from shoal.model.plan import Route
from shoal.model.untrusted import UNTRUSTED

EDGE = "edge"
"""Name of the Gateway."""

_LARGEST = 16
"""Headers that one filter may change."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the routes of each service, and the Gateway of each environment."""
    if not scope.plan.routes:
        return
    for service in sorted(scope.exposed):
        source = scope.plan.system.service(service).source
        things = tuple(Thing(body=body, source=source) for body in routes_of(scope, service))
        if things:
            yield Sheet(path=f"base/edge/{service}.yaml", things=things)
    for environment in scope.environments:
        path = f"overlays/{environment.name}/gateway.yaml"
        yield sheet(
            path,
            _gateway(scope, environment),
            why="Nothing is served in plain text: a redirect would come after a token was sent.",
        )


def served(scope: Scope) -> list[Route]:
    """List the routes that Gateway API can lead to their services: those whose path is the same inside."""
    return [route for route in scope.plan.routes if route.path == route.inside]


def hosts(scope: Scope, environment: Environment) -> list[str]:
    """List the names of the gateway: the environment's, and those that only some routes have."""
    own = [host for route in scope.plan.routes if route.edge.only for host in route.edge.only.hosts]
    return list(dict.fromkeys([*scope.hosts(environment), *(host for host in own if _public(host))]))


def _public(host: str) -> bool:
    return host != "localhost" and not host.endswith(".localhost")


def _gateway(scope: Scope, environment: Environment) -> Json:
    names = hosts(scope, environment)
    listeners = [
        https("https" if n == 0 else f"https-{n}", host, environment.certificate) for n, host in enumerate(names)
    ]
    return gateway(scope.system, EDGE, environment.gateway_class, listeners)


def routes_of(scope: Scope, service: str) -> Iterator[Json]:
    """Write HTTPRoutes: one for each set of hosts, more where there are more rules than one may have."""
    by_hosts: dict[tuple[str, ...], list[Route]] = {}
    for route in (one for one in served(scope) if one.service == service):
        only = route.edge.only.hosts if route.edge.only is not None else ()
        named = tuple(host for host in only if _public(host))
        if named or not only:
            by_hosts.setdefault(named, []).append(route)
    number = 0
    for named, some in sorted(by_hosts.items()):
        for rules in portions(_rules(scope, some)):
            number += 1
            name = service if number == 1 else joined(service, str(number))
            yield httproute(scope.system, name, {"name": EDGE}, rules, hostnames=named)


def _rules(scope: Scope, routes: Iterable[Route]) -> Iterator[Json]:
    """Write rules: operations that are treated alike share one."""
    alike: dict[str, tuple[Json, list[Json]]] = {}
    asked: list[Json] = []
    for route in routes:
        treated = _treated(scope, route)
        matches = alike.setdefault(repr(plain(treated)), (treated, []))[1]
        matches.append(_match(route))
        preflight = {**_match(route), "method": "OPTIONS"}
        if scope.plan.system.gateway.cors is not None and preflight not in asked:
            asked.append(preflight)  # the gateway answers it by itself, where a route has its path
            matches.append(preflight)
    for treated, matches in alike.values():
        for start in range(0, len(matches), MATCHES):
            yield {"matches": matches[start : start + MATCHES], **treated}


def _match(route: Route) -> Json:
    headers = route.edge.only.headers if route.edge.only is not None else {}
    said = [{"name": name, "value": value} for name, value in sorted(headers.items())]
    found: Json = {"path": paths.match(route.path), "method": route.method}
    return {**found, **({"headers": said} if said else {})}


def _treated(scope: Scope, route: Route) -> Json:
    """Say how a request is treated: changed, bounded, repeated, led on."""
    timeout = "0s" if route.edge.goes_on else paths.milliseconds(route.policy.timeout)
    found: Json = {
        "filters": list(_filters(scope, route)),
        "backendRefs": [backend(route.service)],
        "timeouts": {"request": timeout},
    }
    if route.method == "GET" and route.policy.attempts > 1 and not route.edge.goes_on:
        pause = paths.milliseconds(max(route.policy.backoff, 0.001))
        found["retry"] = {"attempts": route.policy.attempts - 1, "backoff": pause, "codes": [503]}
    return found


def _filters(scope: Scope, route: Route) -> Iterator[Json]:
    cors = scope.plan.system.gateway.cors
    if cors is not None:
        yield {"type": "CORS", "cors": _cors(scope)}
    transform = route.edge.transform
    asked, said = (transform.request, transform.response) if transform is not None else (None, None)
    removed = list(UNTRUSTED[:_LARGEST])
    if asked is not None and asked.remove:  # no more than so many; what an author asks for comes first
        removed = list(dict.fromkeys([*(name.lower() for name in asked.remove), *removed]))[:_LARGEST]
    changed: Json = {"remove": Noted(removed, "What only a proxy of ours could say truthfully.")}
    if asked is not None:
        changed |= _pairs("set", asked.set) | _pairs("add", asked.add)
    yield {"type": "RequestHeaderModifier", "requestHeaderModifier": changed}
    answered: Json = _pairs("set", {**_security(scope), **(said.set if said is not None else {})})
    if said is not None:
        answered |= _pairs("add", said.add) | ({"remove": list(said.remove)} if said.remove else {})
    if answered:
        yield {"type": "ResponseHeaderModifier", "responseHeaderModifier": answered}


def _pairs(how: str, headers: dict[str, str]) -> Json:
    return {how: [{"name": name, "value": value} for name, value in headers.items()]} if headers else {}


def _security(scope: Scope) -> dict[str, str]:
    told = scope.plan.system.gateway.headers
    age = f"max-age={told.transport_security}; includeSubDomains" if told.transport_security else ""
    found = {
        "X-Content-Type-Options": told.content_type_options,
        "Referrer-Policy": told.referrer_policy,
        "Content-Security-Policy": told.content_security_policy,
        "X-Frame-Options": told.frame_options,
        "Strict-Transport-Security": age,
    }
    return {name: value for name, value in found.items() if value}


def _cors(scope: Scope) -> Json:
    cors = scope.plan.system.gateway.cors
    assert cors is not None  # noqa: S101 - asked for
    methods = list(cors.methods) or sorted({route.method for route in scope.plan.routes})
    return {
        "allowOrigins": list(cors.origins),
        "allowMethods": methods,
        "allowHeaders": list(cors.headers),
        "exposeHeaders": list(cors.exposed),
        **({"allowCredentials": True} if cors.credentials else {}),
        "maxAge": int(cors.max_age),
    }
