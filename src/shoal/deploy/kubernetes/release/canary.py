"""A new version gets a growing part of the requests, is judged meanwhile, and taken back when it is worse.

What the other parts have made is changed in one place: requests go to two names of a service, stable and canary,
between which Argo Rollouts divides them; the Deployment becomes the template of a Rollout, which the scaler scales.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shoal.deploy.kubernetes.kinds.service import service as name_of
from shoal.deploy.kubernetes.naming import labels, meta
from shoal.deploy.kubernetes.release.analysis import template
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing
from shoal.deploy.yaml import Json, Noted, plain

STEPS = ((5, "5m"), (20, "10m"), (50, "10m"), (80, "10m"))
"""Percent of the requests, and for how long they are watched before it gets more."""

PLUGIN = "argoproj-labs/gatewayAPI"
"""What divides requests between the backends of an HTTPRoute."""

ROLE = "shoal.dev/role"
"""Label of a pod: ``stable`` or ``canary``. It changes while a pod runs, so that no selector may name it."""


def released(scope: Scope, made: Sequence[Made]) -> list[Made]:
    """Return what was made, changed where new versions are released by canaries."""
    if scope.environments[0].release != "canary":
        return list(made)
    names = frozenset(service.name for service in scope.plan.services)
    routes = _routes(made, names)
    found: list[Made] = [_changed(one, names) if isinstance(one, Sheet) else one for one in made]
    return [*found, *(_sheet(scope, name, routes.get(name, {})) for name in sorted(names))]


def _sheet(scope: Scope, name: str, routes: Mapping[str, list[str]]) -> Sheet:
    declared = scope.plan.system.service(name)
    rule = declared.traffic.rollout
    things = (
        Thing(body=_rollout(scope.system, name, routes), source=declared.source),
        Thing(body=template(scope.system, name, rule), source=declared.source, why="The margins of `shoal canary`."),
        *(Thing(body=_name(scope.system, name, version)) for version in ("stable", "canary")),
    )
    return Sheet(path=f"base/{name}/rollout.yaml", things=things)


def _rollout(system: str, name: str, routes: Mapping[str, list[str]]) -> Json:
    steps = [step for weight, pause in STEPS for step in ({"setWeight": weight}, {"pause": {"duration": pause}})]
    canary: Json = {
        "stableService": f"{name}-stable",
        "canaryService": f"{name}-canary",
        "stableMetadata": {"labels": {ROLE: "stable"}},
        "canaryMetadata": {"labels": {ROLE: "canary"}},
        "maxSurge": 1,
        "maxUnavailable": 0,
        "steps": steps,
        "analysis": {
            "startingStep": 1,
            "templates": [{"templateName": name}],
            "args": [{"name": "namespace", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        },
    }
    if traffic := _traffic(name, routes):
        canary["trafficRouting"] = traffic
    else:
        canary["steps"] = Noted(steps, "Nobody routes to it: of what it hears, replicas get as much as they are.")
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": meta(system, name),
        "spec": {
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "progressDeadlineAbort": True,
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "scaleDown": "onsuccess"},
            "strategy": {"canary": canary},
        },
    }


def _traffic(name: str, routes: Mapping[str, list[str]]) -> Json:
    found: Json = {}
    if inside := routes.get("VirtualService"):
        found["istio"] = {"virtualService": {"name": name, "routes": inside}}
    if outside := routes.get("HTTPRoute"):
        found["plugins"] = {PLUGIN: {"httpRoutes": [{"name": route} for route in outside]}}
    return found


def _name(system: str, name: str, version: str) -> Json:
    """Name one version of a service; which pods it is, the controller adds."""
    body = name_of(system, name)
    own = f"{name}-{version}"
    return {**body, "metadata": {**body["metadata"], "name": own, "labels": labels(system, name, "mesh")}}


def _routes(made: Iterable[Made], names: frozenset[str]) -> dict[str, dict[str, list[str]]]:
    """Find the routes that lead to each service: the parts of its VirtualService, and HTTPRoutes."""
    found: dict[str, dict[str, list[str]]] = {}
    for body in (thing.body for one in made if isinstance(one, Sheet) for thing in one.things):
        if body["kind"] == "VirtualService" and body["metadata"]["name"] in names:
            own = found.setdefault(body["metadata"]["name"], {})
            own["VirtualService"] = [route["name"] for route in plain(body)["spec"]["http"]]
        elif body["kind"] == "HTTPRoute":
            backends = {b["name"] for rule in plain(body)["spec"]["rules"] for b in rule.get("backendRefs", ())}
            for name in sorted(backends & names):
                found.setdefault(name, {}).setdefault("HTTPRoute", []).append(body["metadata"]["name"])
    return found


def _changed(sheet: Sheet, names: frozenset[str]) -> Sheet:
    things = tuple(changed for thing in sheet.things for changed in _things(thing, names))
    return msgspec.structs.replace(sheet, things=things)


def _things(thing: Thing, names: frozenset[str]) -> Iterator[Thing]:
    body = thing.body
    kind, name, spec = body["kind"], body["metadata"]["name"], body.get("spec", {})
    if kind == "DestinationRule" and name in names:
        for version in ("stable", "canary"):
            own = f"{name}-{version}"
            changed = {**body, "metadata": {**body["metadata"], "name": own}, "spec": {**spec, "host": own}}
            yield msgspec.structs.replace(thing, body=changed)
    if kind in ("VirtualService", "HTTPRoute"):
        yield msgspec.structs.replace(thing, body={**body, "spec": divided(spec, names)})
    elif kind == "Deployment" and name in names and "template" in spec and "selector" in spec:
        none = Noted(0, "A Rollout runs the pods; this is their template.")
        yield msgspec.structs.replace(thing, body={**body, "spec": {"replicas": none, **spec}})
    elif kind in ("ScaledObject", "HorizontalPodAutoscaler") and "scaleTargetRef" in spec:
        target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name}
        yield msgspec.structs.replace(thing, body={**body, "spec": {**spec, "scaleTargetRef": target}})
    elif kind == "ServiceMonitor":
        yield msgspec.structs.replace(thing, body={**body, "spec": {**spec, "podTargetLabels": [ROLE]}})
    else:
        yield thing


def divided(node: Any, names: frozenset[str]) -> Any:
    """Let every route to a service lead to both versions; the controller moves the weights."""
    if isinstance(node, Noted):
        return Noted(divided(node.value, names), node.why)
    if isinstance(node, list):
        return [one for item in node for one in _both(item, names)]
    if isinstance(node, dict):
        return {key: divided(value, names) for key, value in node.items()}
    return node


def _both(item: Any, names: frozenset[str]) -> list[Any]:
    host = item.get("destination", {}).get("host") if isinstance(item, dict) else None
    if host in names:
        place = item["destination"]
        return [
            {**item, "destination": {**place, "host": f"{host}-{version}"}, "weight": weight}
            for version, weight in (("stable", 100), ("canary", 0))
        ]
    if isinstance(item, dict) and item.get("name") in names and "port" in item and "path" not in item:
        return [
            {**item, "name": f"{item['name']}-{version}", "weight": weight}
            for version, weight in (("stable", 100), ("canary", 0))
        ]
    return [divided(item, names)]
