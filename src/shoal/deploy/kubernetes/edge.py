"""The door from outside, by Gateway API: a Gateway for each environment, routes to what is exposed, nothing else."""

import json
from collections.abc import Iterable, Iterator

from shoal.deploy.kubernetes import paths, rewriting
from shoal.deploy.kubernetes.kinds.gateway import gateway, https
from shoal.deploy.kubernetes.kinds.httproute import MATCHES, backend, httproute, portions
from shoal.deploy.kubernetes.naming import joined
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing, sheet
from shoal.deploy.yaml import Json, Noted, plain
from shoal.mesh.tokens import ISSUER, SUBJECT
from shoal.model.plan import Route
from shoal.model.untrusted import UNTRUSTED
from shoal.model.versioning import NONE

EDGE = "edge"
"""Name of the Gateway."""

JWKS_PATH = "/.well-known/jwks.json"
"""Where the service that signs publishes its keys."""

LEAKS = ("x-envoy-upstream-service-time", "x-powered-by")
"""Headers of answers that tell of the inside."""

OTHERS = ("shoal-version", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-trace-id")
"""Headers of requests that a filter has no room for beside those that no client may say; they go where it leads."""

LARGEST = 16
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
    """List the routes that Gateway API can lead to their services."""
    return rewriting.served(scope)


def publishes(scope: Scope) -> bool:
    """Tell whether the system's own keys can be fetched through the door."""
    return any(route.path == JWKS_PATH for route in served(scope))


def verifies(scope: Scope) -> bool:
    """Tell whether the gateway verifies tokens, and tells whose they are in headers that are then its own."""
    gateway = scope.plan.system.gateway
    own = gateway.issuer is not None and publishes(scope)
    return scope.istio and (own or any(issuer.remote for issuer in gateway.issuers))


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
    found = gateway(scope.system, EDGE, environment.gateway_class, listeners)
    if environment.gateway_class == "istio":
        told = {"proxyHeaders": {"server": {"value": scope.system}, "envoyDebugHeaders": {"disabled": True}}}
        found["spec"]["infrastructure"] = {"annotations": {"proxy.istio.io/config": json.dumps(told)}}
    return found


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
    apart: list[Json] = []
    asked: list[Json] = []
    for route in routes:
        way = rewriting.way(scope, route)
        if way is None:
            continue
        treated = _treated(scope, route, way)
        found = [_match(route, way)]
        preflight = {**found[0], "method": "OPTIONS"}
        if scope.plan.system.gateway.cors is not None and preflight not in asked:
            asked.append(preflight)  # the gateway answers it by itself, where a route has its path
            found.append(preflight)
        if way.alone:
            apart += [{"matches": [match], **treated} for match in found]
        else:
            alike.setdefault(repr(plain(treated)), (treated, []))[1].extend(found)
    for treated, matches in alike.values():
        for start in range(0, len(matches), MATCHES):
            yield {"matches": matches[start : start + MATCHES], **treated}
    yield from apart


def _match(route: Route, way: rewriting.Way) -> Json:
    headers = dict(route.edge.only.headers) if route.edge.only is not None else {}
    if route.wanted is not None and route.wanted.value != NONE:
        headers[route.wanted.header] = route.wanted.value
    said = [{"name": name, "value": value} for name, value in sorted(headers.items())]
    found: Json = {"path": way.match, "method": route.method}
    return {**found, **({"headers": said} if said else {})}


def _treated(scope: Scope, route: Route, way: rewriting.Way) -> Json:
    """Say how a request is treated: changed, bounded, repeated, led on."""
    timeout = "0s" if route.edge.goes_on else paths.milliseconds(route.policy.timeout)
    rewritten = [] if way.rewrite is None else [{"type": "URLRewrite", "urlRewrite": way.rewrite}]
    found: Json = {
        "filters": [*_filters(scope, route), *rewritten],
        "backendRefs": [backend(route.service, **_dropped(scope, route))],
        "timeouts": {"request": timeout},
    }
    if route.method == "GET" and route.policy.attempts > 1 and not route.edge.goes_on:
        pause = paths.milliseconds(max(route.policy.backoff, 0.001))
        found["retry"] = {"attempts": route.policy.attempts - 1, "backoff": pause, "codes": [503]}
    return found


def taken(scope: Scope, route: Route) -> list[str]:
    """List the headers that requests lose: what an author says, and what no client may say."""
    transform = route.edge.transform
    said = [name.lower() for name in transform.request.remove] if transform is not None else []
    ours = () if verifies(scope) else (SUBJECT, ISSUER)
    return list(dict.fromkeys([*said, *UNTRUSTED, *ours, *OTHERS]))


def lost(scope: Scope, route: Route) -> list[str]:
    """List those that stay, since a route has no room for more; not every gateway takes filters where it leads."""
    room = 2 * LARGEST if scope.environments[0].gateway_class == "istio" else LARGEST
    return taken(scope, route)[room:]


def _dropped(scope: Scope, route: Route) -> Json:
    """Take away what the filter of a rule has no room for, where requests are led."""
    rest = taken(scope, route)[LARGEST : 2 * LARGEST]
    if scope.environments[0].gateway_class != "istio" or not rest:
        return {}
    removed = {"remove": Noted(rest, "More than one filter has room for.")}
    return {"filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": removed}]}


def _filters(scope: Scope, route: Route) -> Iterator[Json]:
    cors = scope.plan.system.gateway.cors
    if cors is not None:
        yield {"type": "CORS", "cors": _cors(scope)}
    transform = route.edge.transform
    asked, said = (transform.request, transform.response) if transform is not None else (None, None)
    removed = taken(scope, route)[:LARGEST]
    changed: Json = {"remove": Noted(removed, "What only a proxy of ours could say truthfully.")}
    if asked is not None:
        changed |= _pairs("set", asked.set) | _pairs("add", asked.add)
    yield {"type": "RequestHeaderModifier", "requestHeaderModifier": changed}
    answered: Json = _pairs("set", {**_security(scope), **(said.set if said is not None else {})})
    added = dict(said.add) if said is not None else {}
    if route.wanted is not None:  # caches keep versions apart
        name = next((name for name in added if name.lower() == "vary"), "Vary")
        added[name] = ", ".join(filter(None, (added.get(name, ""), route.wanted.header)))
    hidden = [*LEAKS, *(said.remove if said is not None else ())]
    answered |= _pairs("add", added) | {"remove": list(dict.fromkeys(hidden))[:LARGEST]}
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
