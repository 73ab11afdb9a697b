"""How services of a cluster can be reached from outside: kinds of ``Service``, and what routes to them."""

from collections.abc import Iterator, Mapping, Sequence

from shoal.check.finding import Place
from shoal.check.importing.facts import Said
from shoal.check.importing.hosts import namespace
from shoal.check.importing.tree import Node

_OPEN = frozenset({"LoadBalancer", "NodePort"})
_INNER = {
    "networking.gke.io/load-balancer-type": "internal",
    "cloud.google.com/load-balancer-type": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "alb.ingress.kubernetes.io/scheme": "internal",
}
"""Annotations by which clouds are told that something is open within the own network only."""

_ROUTES = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"})
_TRAEFIK = frozenset({"IngressRoute", "IngressRouteTCP"})
_MESH = "mesh"
"""What Istio calls the way between services, where a ``VirtualService`` names it among its gateways."""


def doors(objects: Sequence[Node]) -> Mapping[tuple[str, str], tuple[Said, ...]]:
    """Map the namespace and the name of each ``Service`` to the ways to it from outside."""
    found: dict[tuple[str, str], list[Said]] = {}
    for node in objects:
        if _inner(node):
            continue
        own = node.at("metadata", "namespace").text
        what = f"{node.at('kind').text} {node.at('metadata', 'name').text}"
        for service, where in _behind(node):
            name, _, other = service.partition(".")
            space = namespace(other.partition(".")[0] or own)
            found.setdefault((space, name), []).append(Said(what, where))
    return {service: tuple(ways) for service, ways in found.items()}


def _inner(node: Node) -> bool:
    said = node.at("metadata", "annotations")
    return any(said.at(name).text.lower() == value for name, value in _INNER.items())


def _behind(node: Node) -> Iterator[tuple[str, Place]]:
    """List the services to which an object lets requests in, and where it says so."""
    kind, spec = node.at("kind").text, node.at("spec")
    if kind == "Service" and spec.at("type").text in _OPEN:
        yield node.at("metadata", "name").text, spec.at("type").where
    elif kind == "Ingress":
        yield from _ingress(spec)
    elif kind in _ROUTES and not _within(spec):
        yield from (_referred(back) for rule in spec.at("rules") for back in rule.at("backendRefs"))
    elif kind == "VirtualService" and any(gateway.text != _MESH for gateway in spec.at("gateways")):
        routes = [route for key in ("http", "tcp", "tls") for part in spec.at(key) for route in part.at("route")]
        yield from _named(route.at("destination", "host") for route in routes)
    elif kind == "Route":
        yield from _named([spec.at("to", "name")])
    elif kind in _TRAEFIK:
        yield from (_referred(service) for route in spec.at("routes") for service in route.at("services"))


def _within(spec: Node) -> bool:
    """Tell whether a route says how a service is reached by others, not from outside (Gateway API, "GAMMA")."""
    parents = spec.at("parentRefs").items
    return bool(parents) and all(parent.at("kind").text == "Service" for parent in parents)


def _referred(reference: Node) -> tuple[str, Place]:
    """Read a reference to a service, which may be in another namespace."""
    name, space = reference.at("name"), reference.at("namespace").text
    return f"{name.text}.{space}" if space else name.text, name.where


def _ingress(spec: Node) -> Iterator[tuple[str, Place]]:
    backends = [spec.at("defaultBackend"), spec.at("backend")]
    backends += [path.at("backend") for rule in spec.at("rules") for path in rule.at("http", "paths")]
    for backend in backends:  # the second form is that of versions before networking.k8s.io/v1
        yield from _named([backend.at("service", "name") or backend.at("serviceName")])


def _named(nodes: Iterator[Node] | Sequence[Node]) -> Iterator[tuple[str, Place]]:
    yield from ((node.text, node.where) for node in nodes if node)
