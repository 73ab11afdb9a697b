"""Small systems for the tests of the mesh."""

from shoal.model.plan import Plan, plan
from shoal.model.service import Access, Call, Endpoint, Method, Parameter, Policy, Service, path_parameters
from shoal.model.system import Gateway, Issuer, System
from shoal.model.target import LOCAL, with_options

ANYONE = Access(kind="anyone")
PRINCIPAL = Access(kind="principal")
INTERNAL = Access(kind="internal")

ISSUER = Issuer(service="auth", audience="tiny-api", name="https://auth.tiny.example")


def endpoint(
    name: str, method: Method, path: str, access: Access = ANYONE, *, policy: Policy | None = None
) -> Endpoint:
    parameters = tuple(Parameter(name=p, place="path", schema={}) for p in path_parameters(path))
    return Endpoint(
        name=name, method=method, path=path, access=access, parameters=parameters, policy=policy or Policy()
    )


def service(name: str, *endpoints: Endpoint, calls: tuple[Call, ...] = ()) -> Service:
    return Service(name=name, entry=f"{name}:{name}", endpoints=endpoints, calls=calls)


PRODUCTS = service(
    "products",
    endpoint("list", "GET", "/products"),
    endpoint("get", "GET", "/products/{sku}"),
    endpoint("remove", "DELETE", "/products/{sku}", PRINCIPAL),
    endpoint("secret", "GET", "/products/secret", INTERNAL),
    endpoint("prices", "POST", "/prices", INTERNAL, policy=Policy(timeout=30.0)),
)
ORDERS = service(
    "orders",
    endpoint("place", "POST", "/orders", PRINCIPAL),
    endpoint("get", "GET", "/orders/{order_id}", PRINCIPAL, policy=Policy(timeout=0.5)),
    endpoint("summary", "GET", "/orders/summary", PRINCIPAL, policy=Policy(timeout=2.0, attempts=3)),
    calls=(Call(service="products", endpoint="prices", policy=Policy(timeout=2.0)),),
)
AUTH = service("auth", endpoint("login", "POST", "/login"))

OPEN_PRODUCTS = service("products", *(e for e in PRODUCTS.endpoints if e.access != PRINCIPAL))

PAIR = System(name="pair", services=(OPEN_PRODUCTS, service("shop", calls=ORDERS.calls)), gateway=Gateway(port=8080))
"""Two services, one call, no tokens."""

TINY = System(name="tiny", services=(PRODUCTS, ORDERS, AUTH), gateway=Gateway(issuer=ISSUER))
"""Three services with tokens."""


def ring(count: int) -> System:
    """Make services of which each calls the next, and the first of which is exposed."""
    services = []
    for index in range(count):
        callee = f"r{(index + 1) % count}"
        access = ANYONE if index == 0 else INTERNAL
        services.append(
            service(
                f"r{index}",
                endpoint("work", "GET", f"/r{index}/work/{{item}}", access),
                calls=(Call(service=callee, endpoint="work"),),
            )
        )
    return System(name="ring", services=tuple(services))


def planned(system: System, *, port: int = 8080) -> Plan:
    return plan(system, with_options(LOCAL, port=port))
