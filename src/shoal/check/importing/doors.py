"""How services of a cluster can be reached from outside: kinds of ``Service``, and what routes to them."""

from collections.abc import Iterator, Mapping, Sequence

from shoal.check.finding import Place
from shoal.check.importing.facts import Said
from shoal.check.importing.tree import Node

_OPEN = frozenset({"LoadBalancer", "NodePort"})
_ROUTES = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"})
_MESH = "mesh"
"""What Istio calls the way between services, where a ``VirtualService`` names it among its gateways."""


def doors(objects: Sequence[Node]) -> Mapping[tuple[str, str], tuple[Said, ...]]:
    """Map the namespace and the name of each ``Service`` to the ways to it from outside."""
    found: dict[tuple[str, str], list[Said]] = {}
    for node in objects:
        namespace = node.at("metadata", "namespace").text
        what = f"{node.at('kind').text} {node.at('metadata', 'name').text}"
        for service, where in _behind(node):
            name, _, other = service.partition(".")
            found.setdefault((other.partition(".")[0] or namespace, name), []).append(Said(what, where))
    return {service: tuple(ways) for service, ways in found.items()}


def _behind(node: Node) -> Iterator[tuple[str, Place]]:
    """List the services to which an object lets requests in, and where it says so."""
    kind, spec = node.at("kind").text, node.at("spec")
    if kind == "Service" and spec.at("type").text in _OPEN:
        yield node.at("metadata", "name").text, spec.at("type").where
    elif kind == "Ingress":
        yield from _ingress(spec)
    elif kind in _ROUTES:
        yield from _named(reference.at("name") for rule in spec.at("rules") for reference in rule.at("backendRefs"))
    elif kind == "VirtualService" and any(gateway.text != _MESH for gateway in spec.at("gateways")):
        routes = [route for key in ("http", "tcp", "tls") for part in spec.at(key) for route in part.at("route")]
        yield from _named(route.at("destination", "host") for route in routes)
    elif kind == "Route":
        yield from _named([spec.at("to", "name")])
    elif kind == "IngressRoute":
        yield from _named(service.at("name") for route in spec.at("routes") for service in route.at("services"))


def _ingress(spec: Node) -> Iterator[tuple[str, Place]]:
    backends = [spec.at("defaultBackend"), spec.at("backend")]
    backends += [path.at("backend") for rule in spec.at("rules") for path in rule.at("http", "paths")]
    for backend in backends:  # the second form is that of versions before networking.k8s.io/v1
        yield from _named([backend.at("service", "name") or backend.at("serviceName")])


def _named(nodes: Iterator[Node] | Sequence[Node]) -> Iterator[tuple[str, Place]]:
    yield from ((node.text, node.where) for node in nodes if node)
