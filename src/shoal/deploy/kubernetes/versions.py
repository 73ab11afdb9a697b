"""What an environment does to calls: a second version with a part of the requests, and faults on purpose.

A version has a Deployment and a name of its own; routes of the base are patched to divide requests between the names.
"""

from collections.abc import Iterator

from shoal.deploy.kubernetes import edge
from shoal.deploy.kubernetes.istio import calls, faults, traffic
from shoal.deploy.kubernetes.kinds.deployment import deployment
from shoal.deploy.kubernetes.kinds.httproute import RULES, backend
from shoal.deploy.kubernetes.kinds.service import service as name_of
from shoal.deploy.kubernetes.naming import PORT, VERSION, joined, labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment, Second
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Thing
from shoal.deploy.kubernetes.workloads import image_of, template_of
from shoal.deploy.yaml import Json, plain
from shoal.errors import PlanError
from shoal.model.finding import Finding
from shoal.model.plan import ServicePlan
from shoal.model.rollout import STABLE, VERSION_HEADER


def make(scope: Scope) -> Iterator[Made]:
    """Make what each environment asks for."""
    for environment in scope.environments:
        for service in scope.plan.services:
            if service.name in environment.splits:
                yield from _split(scope, environment, service, environment.splits[service.name])
            elif strikes := _strikes(scope, environment, service):
                yield from _patched(environment, service, [_struck(calls.virtual(scope, service), strikes)])


def findings(scope: Scope) -> Iterator[Finding]:
    """Say what cannot be divided, and which faults strike nobody."""
    yield from faults.findings(scope)
    known = ", ".join(sorted(service.name for service in scope.plan.services))
    for environment in scope.environments:
        for name in sorted(environment.splits):
            if name not in known.split(", "):
                message = f"{environment.name} divides {name!r}, which is no service"
                yield Finding(code="DEPLOY-SPLIT-01", severity="error", message=message, help=f"services: {known}")
            elif not scope.istio and name in scope.callers:
                message = (
                    f"only requests from the gateway to {name} are divided: other services reach both versions alike"
                )
                yield Finding(code="DEPLOY-SPLIT-02", severity="warning", message=message, help="use Istio")


def _split(scope: Scope, environment: Environment, service: ServicePlan, second: Second) -> Iterator[Made]:
    folder, source = f"overlays/{environment.name}", scope.declared(service).source
    things = [Thing(body=_deployment(scope, environment, service, second), source=source)]
    things += [Thing(body=_name(scope, service, version), source=source) for version in (STABLE, second.name)]
    if scope.istio:
        declared = scope.declared(service).traffic
        things += [
            Thing(body=traffic.destination(scope.system, service, declared, joined(service.name, version)))
            for version in (STABLE, second.name)
        ]
    patches = [_divided(body, service, second) for body in _routes(scope, service)]
    if scope.mesh == "istio-ambient" and service.name not in scope.callers:  # the base has none to patch
        things += [Thing(body=body) for body in patches]
        patches = []
    strikes = _strikes(scope, environment, service)
    patches = [_struck(body, strikes) for body in patches]
    if scope.mesh == "istio-ambient" and second.override == "anyone":
        patches += [_heard(body) for body in edge.routes_of(scope, service.name)]
    yield Sheet(path=f"{folder}/{service.name}-{second.name}.yaml", things=tuple(things))
    yield from _patched(environment, service, patches)


def _patched(environment: Environment, service: ServicePlan, bodies: list[Json]) -> Iterator[Made]:
    """Replace the rules of routes of the base."""
    folder, path = f"overlays/{environment.name}", f"{service.name}-calls.yaml"
    if bodies:
        yield Sheet(path=f"{folder}/{path}", things=tuple(Thing(body=_rules_of(body)) for body in bodies))
        yield Entry(folder=folder, field="patches", value={"path": path})


def _strikes(scope: Scope, environment: Environment, service: ServicePlan) -> list[Json]:
    return faults.struck(scope, environment, service.name) if scope.mesh == "istio" else []


def _struck(body: Json, strikes: list[Json]) -> Json:
    """Put routes that strike before the others; requests that are late go where the others do, to any version."""
    found: Json = plain(body)
    if found["kind"] == "VirtualService":
        found["spec"]["http"] = [*strikes, *found["spec"]["http"]]
    return found


def _routes(scope: Scope, service: ServicePlan) -> Iterator[Json]:
    """List the routes that divide: at the waypoint where there is one, else at the gateway and in each caller's pod."""
    if scope.mesh == "istio-ambient":
        yield from calls.routes(scope, service)
        return
    yield from edge.routes_of(scope, service.name)
    if scope.mesh == "istio" and service.name in scope.callers:
        yield calls.virtual(scope, service)


def _heard(body: Json) -> Json:
    """Let the gateway hand on the header by which clients choose, since the waypoint behind it is who divides."""
    found: Json = plain(body)
    for rule in found["spec"]["rules"]:
        kept = [one for one in rule["filters"] if one["type"] == "RequestHeaderModifier"]
        for one in (*kept, *(one for ref in rule["backendRefs"] for one in ref.get("filters", ()))):
            changed = one["requestHeaderModifier"]
            changed["remove"] = [name for name in changed["remove"] if name != VERSION_HEADER]
    return found


def _deployment(scope: Scope, environment: Environment, service: ServicePlan, second: Second) -> Json:
    template = template_of(scope, service, second.name)
    template["spec"]["containers"][0]["image"] = f"{environment.registry}/{image_of(scope, service)}:{second.version}"
    return deployment(scope.system, service.name, template, replicas=second.replicas, version=second.name)


def _name(scope: Scope, service: ServicePlan, version: str) -> Json:
    body = name_of(scope.system, joined(service.name, version))
    body["metadata"]["labels"] = labels(scope.system, service.name)
    body["spec"]["selector"] = {**name_of(scope.system, service.name)["spec"]["selector"], VERSION: version}
    return body


def _rules_of(body: Json) -> Json:
    """Write a patch that replaces the rules of a route."""
    kept = "http" if body["kind"] == "VirtualService" else "rules"
    named = {"name": body["metadata"]["name"]}
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": named,
        "spec": {kept: body["spec"][kept]},
    }


def _divided(body: Json, service: ServicePlan, second: Second) -> Json:
    """Divide the requests of a route; copies are made of those that change nothing."""
    found: Json = plain(body)
    if found["kind"] == "VirtualService":
        found["spec"]["http"] = [one for rule in found["spec"]["http"] for one in _virtual(rule, service, second)]
        return found
    rules = [one for rule in found["spec"]["rules"] for one in _rule(rule, service, second)]
    if len(rules) > RULES:
        raise PlanError(
            f"copies of requests to {service.name} would need {len(rules)} rules, and a route has at most {RULES}",
            hint="give it a weight instead of mirror",
        )
    found["spec"]["rules"] = rules
    return found


def _rule(rule: Json, service: ServicePlan, second: Second) -> Iterator[Json]:
    stable, other = joined(service.name, STABLE), joined(service.name, second.name)
    kept = {name: value for name, value in rule["backendRefs"][0].items() if name not in ("name", "port")}
    if second.override == "anyone":
        for version, name in ((second.name, other), (STABLE, stable)):
            yield {**_by_name(rule, version), "backendRefs": [backend(name, **kept)]}
    if second.weight:
        refs = [backend(stable, weight=100 - second.weight, **kept), backend(other, weight=second.weight, **kept)]
        yield {**rule, "backendRefs": refs}
        return
    led = {**rule, "backendRefs": [backend(stable, **kept)]}
    safe = [match for match in rule["matches"] if match["method"] == "GET"]
    rest = [match for match in rule["matches"] if match["method"] != "GET"]
    if not second.mirror or not safe:
        yield led
        return
    copies = {"type": "RequestMirror", "requestMirror": {"backendRef": backend(other), "percent": second.mirror}}
    yield {**led, "matches": safe, "filters": [*rule.get("filters", ()), copies]}
    if rest:
        yield {**led, "matches": rest}


def _by_name(rule: Json, version: str) -> Json:
    """Narrow a rule to requests that ask for a version; one more header makes it the closer match."""
    asked = {"name": VERSION_HEADER, "value": version}
    return {**rule, "matches": [{**one, "headers": [*one.get("headers", ()), asked]} for one in rule["matches"]]}


def _virtual(rule: Json, service: ServicePlan, second: Second) -> Iterator[Json]:
    def to(version: str) -> Json:
        return {"destination": {"host": joined(service.name, version), "port": {"number": PORT}}}

    if second.weight:
        shares = ((STABLE, 100 - second.weight), (second.name, second.weight))
        yield {**rule, "route": [{**to(version), "weight": weight} for version, weight in shares]}
        return
    led = {**rule, "route": [to(STABLE)]}
    safe = [match for match in rule["match"] if match["method"] == {"exact": "GET"}]
    rest = [match for match in rule["match"] if match["method"] != {"exact": "GET"}]
    if not second.mirror or not safe:
        yield led
        return
    yield {**led, "match": safe, "mirrors": [{**to(second.name), "percentage": {"value": second.mirror}}]}
    if rest:
        yield {**led, "name": f"{rule['name']}-alone", "match": rest}
