"""What every proxy is put in front of: a system with one protected route, and a service that answers from memory."""

import json
import time
from pathlib import Path
from typing import Any

from bench.handler import world as handler
from bench.handler.world import AUDIENCE, ISSUER, Keys
from shoal.mesh.compile import compile_static
from shoal.mesh.edge import EDGE
from shoal.mesh.layout import layout_for
from shoal.model.edge import Edge
from shoal.model.limits import RateLimit
from shoal.model.plan import GATEWAY, Plan, plan
from shoal.model.service import Access, Endpoint, Method, Parameter, Policy, Service, path_parameters
from shoal.model.system import Gateway, Issuer, System
from shoal.model.target import Target

BODY = json.dumps({"sku": "SKU-00001", "title": "a thing", "price": 199, "stock": 7, "tags": ["a", "b", "c"]})
ROUTES = 40
"""Declared routes among which each request's own is found."""

_ENVOY = "type.googleapis.com/envoy"


def make_keys(folder: Path) -> Keys:
    """Make keys where the layout of a mesh has them, and tokens that outlive the benchmark."""
    place = folder / "jwks"
    place.mkdir()
    return handler.make_keys(place, time.time())


def request(token: str) -> bytes:
    """Spell a request as it travels, with the headers that a client's library would send."""
    headers = {"Host": "127.0.0.1", "User-Agent": "bench", "Accept": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET /products/SKU-00001 HTTP/1.1\r\n{head}\r\n".encode()


def system(service: str) -> System:
    """Declare the products and their neighbours: all ask for a principal and have a limit that nobody meets."""
    limit = RateLimit(requests=900_000)  # what is left of it has always as many digits
    endpoints = [_endpoint(f"list_{n}", "GET", f"/things-{n}/{{thing}}/parts/{{part}}", limit) for n in range(ROUTES)]
    endpoints.append(_endpoint("product", "GET", "/products/{sku}", limit))
    issuer = Issuer(service=service, audience=AUDIENCE, name=ISSUER)
    products = Service(name=service, entry=f"{service}:{service}", endpoints=tuple(endpoints))
    return System(name="bench", services=(products,), gateway=Gateway(issuer=issuer))


def _endpoint(name: str, method: Method, path: str, limit: RateLimit) -> Endpoint:
    parameters = tuple(Parameter(name=p, place="path", schema={}) for p in path_parameters(path))
    access, policy = Access(kind="principal"), Policy(timeout=10.0)
    return Endpoint(
        name=name, method=method, path=path, access=access, policy=policy, parameters=parameters, edge=Edge(limit=limit)
    )


def profile(folder: Path, port: int, upstream: Path) -> dict[str, Any]:
    """Write Shoal's own edge, with the way to the service as short as everybody's: no second listener, no TLS."""
    planned: Plan = plan(system("products"), Target(port=port))
    made = compile_static(planned, layout_for(planned, root=str(folder)))
    config: dict[str, Any] = json.loads(made.text)
    resources = config["static_resources"]
    resources["listeners"] = [one for one in resources["listeners"] if one["name"] == EDGE]
    resources["clusters"] = [_cluster(f"{GATEWAY}.products", upstream)]
    resources["secrets"] = []
    return config


def bare(folder: Path, port: int, upstream: Path) -> dict[str, Any]:
    """Write an Envoy that only passes on."""
    where = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return _server(folder, where, {"route": {"cluster": "products"}}, [_cluster("products", upstream)])


def origin(folder: Path, upstream: Path) -> dict[str, Any]:
    """Write an Envoy that answers by itself: the service behind every proxy."""
    kind = {"header": {"key": "content-type", "value": "application/json"}}
    answer = {"direct_response": {"status": 200, "body": {"inline_string": BODY}}, "response_headers_to_add": [kind]}
    return _server(folder, {"pipe": {"path": str(upstream)}}, answer, [])


def _server(
    folder: Path, where: dict[str, Any], route: dict[str, Any], clusters: list[dict[str, Any]]
) -> dict[str, Any]:
    """Write an Envoy with one route for everything, and nothing else."""
    router = {"@type": f"{_ENVOY}.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    host = {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **route}]}
    manager = {
        "@type": f"{_ENVOY}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "all",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {"virtual_hosts": [host]},
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    listener = {"name": "all", "address": where, "filter_chains": [{"filters": [network]}]}
    return {
        "admin": {"address": {"pipe": {"path": str(folder / "admin")}}},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def _cluster(name: str, upstream: Path) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(upstream)}}}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
