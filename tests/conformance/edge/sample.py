"""The system that the tables are about. Each of its services must answer with what it saw, as JSON.

The answer has ``app`` (the service), ``method``, ``path``, ``headers`` (lower case) and ``size`` (of the body); for
``x-test-number`` also ``number`` (which request of all that it has seen). ``x-test-status`` chooses its status, and
``x-test-answer-NAME`` gives it the header NAME; where a WebSocket is asked for, it is opened (101). Of `seats` a
second version runs, which says ``version: canary``, with `CANARY` of the requests. `OLD` is an application outside that
answers in the same way.
"""

from msgspec.structs import replace

from shoal.model.caching import Cache
from shoal.model.cors import Cors
from shoal.model.edge import Edge
from shoal.model.issuers import Consumer
from shoal.model.legacy import Legacy, LegacyRoute
from shoal.model.limits import RateLimit
from shoal.model.only import Only
from shoal.model.rollout import Split
from shoal.model.service import Access, Endpoint, Method, Parameter, Service, path_parameters
from shoal.model.shaping import Headers, Query, Transform
from shoal.model.sockets import Socket
from shoal.model.system import Gateway, Issuer, System
from shoal.model.tls import Tls
from shoal.model.versioning import Version

ANYONE, PRINCIPAL, INTERNAL = Access(kind="anyone"), Access(kind="principal"), Access(kind="internal")

ISSUER = Issuer(service="auth", audience="edge-api", name="https://auth.edge.example")

PARTNERS, APP = ("partner.shop.example", "b2b.shop.example"), {"x-channel": "app"}


def endpoint(name: str, method: Method, path: str, access: Access = ANYONE, edge: Edge | None = None) -> Endpoint:
    """Declare one operation."""
    parameters = tuple(Parameter(name=p, place="path", schema={}) for p in path_parameters(path))
    found = Endpoint(name=name, method=method, path=path, access=access, parameters=parameters)
    return found if edge is None else replace(found, edge=edge)


CATALOG = Service(
    name="catalog",
    entry="catalog:catalog",
    endpoints=(
        endpoint("list", "GET", "/items"),
        endpoint("show", "GET", "/items/{item_id}"),
        endpoint("remove", "DELETE", "/items/{item_id}", PRINCIPAL),
        endpoint("secret", "GET", "/items/secret", INTERNAL),
        endpoint("reviews", "GET", "/items/{item_id}/reviews"),
        endpoint("prices", "POST", "/prices", INTERNAL),
        endpoint("search", "GET", "/search", edge=Edge(limit=RateLimit(requests=1, per=3600, burst=3, by="everyone"))),
        endpoint("upload", "POST", "/uploads", edge=Edge(largest=1000)),
        endpoint("large", "GET", "/large", edge=Edge(compress=True)),
        endpoint("offers_v1", "GET", "/v1/offers", edge=Edge(version=Version(number=1, path="/offers"))),
        endpoint("offers_v2", "GET", "/v2/offers", edge=Edge(version=Version(number=2, path="/offers"))),
        endpoint(
            "renamed",
            "GET",
            "/inside/{item_id}",
            edge=Edge(
                transform=Transform(
                    path="/outside/{item_id}",
                    request=Headers(set={"x-channel": "edge"}, remove=("x-unwanted",)),
                    response=Headers(set={"x-served-by": "catalog"}),
                    query=Query(set={"source": "edge"}, remove=("debug",)),
                )
            ),
        ),
        endpoint("kept", "GET", "/kept", edge=Edge(cache=Cache(seconds=60, vary=("accept-language",)))),
        endpoint("live", "GET", "/live", edge=Edge(socket=Socket())),
        endpoint("taken", "GET", "/taken/{item_id}"),
        endpoint("half", "GET", "/half/{item_id}"),
        endpoint("recorded", "GET", "/recorded/{item_id}"),
        endpoint("deals", "GET", "/deals", edge=Edge(only=Only(hosts=PARTNERS))),
        endpoint("offer_deal", "POST", "/deals"),
        endpoint("news", "GET", "/news", edge=Edge(only=Only(headers=APP))),
        endpoint("bulk", "GET", "/bulk/{item_id}", edge=Edge(only=Only(hosts=PARTNERS, headers=APP))),
        endpoint(
            "hidden",
            "GET",
            "/hidden/{item_id}",
            edge=Edge(only=Only(headers=APP), transform=Transform(path="/shown/{item_id}")),
        ),
    ),
)
SEATS = Service(name="seats", entry="seats:seats", endpoints=(endpoint("free", "GET", "/seats"),))
CANARY = Split(version="canary", weight=30, override="anyone")
OLD = Legacy(
    name="old",
    port=1,
    routes=(
        LegacyRoute(name="recorded", path="/recorded/{item_id}"),
        LegacyRoute(name="half", path="/half/{item_id}", state="shift", weight=50),
        LegacyRoute(name="taken", path="/taken/{item_id}", state="done"),
        LegacyRoute(name="alone", path="/alone/{item_id}"),
    ),
)
ORDERS = Service(
    name="orders",
    entry="orders:orders",
    endpoints=(
        endpoint("place", "POST", "/orders", PRINCIPAL),
        endpoint("show", "GET", "/orders/{order_id}", PRINCIPAL),
        endpoint("refund", "POST", "/orders/{order_id}/refund", Access(roles=("admin", "clerk"))),
        endpoint("private", "GET", "/private", PRINCIPAL, Edge(cache=Cache(seconds=60))),
        endpoint("follow", "GET", "/follow", PRINCIPAL, Edge(socket=Socket())),
        endpoint("terms", "GET", "/terms", PRINCIPAL, Edge(only=Only(hosts=PARTNERS))),
        endpoint("stock", "POST", "/stock", Access(consumers=("till",))),
        endpoint("prices", "GET", "/prices/all", Access(scopes=("prices:read",))),
        endpoint("export", "GET", "/exports", Access(scopes=("orders:read", "orders:export"))),
    ),
)
AUTH = Service(
    name="auth",
    entry="auth:auth",
    endpoints=(endpoint("login", "POST", "/login"), endpoint("jwks", "GET", "/.well-known/jwks.json")),
)

SAMPLE = System(
    name="edge",
    services=(CATALOG, ORDERS, SEATS, AUTH),
    gateway=Gateway(
        issuer=ISSUER,
        cors=Cors(origins=("https://shop.example",)),
        consumers=(Consumer(name="till", scopes=("prices:read",)), Consumer(name="kiosk")),
        legacy=(OLD,),
    ),
)

SECURE = replace(SAMPLE, gateway=replace(SAMPLE.gateway, tls=Tls()))
"""The same behind a base URL of https."""
