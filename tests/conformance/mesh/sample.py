"""The system that the tables about calls between services are about.

`till` calls what it declares of `stock` and `scales`; `menu` calls one operation of `stock`; `kiosk` calls nobody. Each
answers with what it saw, as the services of `tests.conformance.edge.sample` do.
"""

from msgspec.structs import replace

from shoal.model.service import Access, Call, Endpoint, Method, Parameter, Policy, Service, path_parameters
from shoal.model.system import System
from shoal.model.traffic import Traffic

ANYONE, INTERNAL = Access(kind="anyone"), Access(kind="internal")


def endpoint(name: str, method: Method, path: str, access: Access = INTERNAL, **policy: float) -> Endpoint:
    """Declare one operation."""
    parameters = tuple(Parameter(name=p, place="path", schema={}) for p in path_parameters(path))
    found = Endpoint(name=name, method=method, path=path, access=access, parameters=parameters)
    return replace(found, policy=Policy(**policy)) if policy else found  # type: ignore[arg-type]


STOCK = Service(
    name="stock",
    entry="stock:stock",
    endpoints=(
        endpoint("show", "GET", "/items/{sku}"),
        endpoint("secret", "GET", "/items/secret"),
        endpoint("reserve", "POST", "/reservations", timeout=0.3),
        endpoint("count", "POST", "/counts", timeout=30.0),
        endpoint("shown", "GET", "/shown/{sku}", ANYONE, timeout=30.0, attempts=3, backoff=0.001),
        endpoint("sell", "POST", "/sales", ANYONE, timeout=0.3),
        endpoint("buy", "POST", "/purchases", ANYONE, timeout=30.0),
    ),
)
SCALES = Service(
    name="scales",
    entry="scales:scales",
    endpoints=(endpoint("weigh", "POST", "/weights", timeout=30.0),),
    traffic=Traffic(requests=1),
)


def call(service: Service, name: str) -> Call:
    """Declare a call, whose time is that of its operation."""
    found = service.endpoint(name)
    assert found is not None
    return Call(service=service.name, endpoint=name, policy=found.policy)


TILL = Service(
    name="till",
    entry="till:till",
    calls=(*(call(STOCK, name) for name in ("show", "reserve", "count")), call(SCALES, "weigh")),
)
MENU = Service(name="menu", entry="menu:menu", calls=(call(STOCK, "secret"),))
KIOSK = Service(name="kiosk", entry="kiosk:kiosk", endpoints=(endpoint("open", "GET", "/open", ANYONE),))

SAMPLE = System(name="calls", services=(STOCK, SCALES, TILL, MENU, KIOSK))
