"""Systems as data, for pages that show what is declared."""

from shoal import model
from shoal.model.breaker import Breaker
from tests.dashboard.web.serving import Serving

STORE = model.Store(engine="postgres")


def declare(serving: Serving, system: model.System) -> None:
    """Let a project declare a system although no module of it is there."""
    serving.desk.live._described, serving.desk.live._mark = system, ()


def service(name: str, *calls: str, **more: object) -> model.Service:
    """Make a service that serves one operation and calls that of others."""
    endpoint = model.Endpoint(name="ask", method="GET", path=f"/{name}", access=model.Access(kind="anyone"))
    made = tuple(
        model.Call(service=callee, endpoint="ask", breaker=Breaker(circuit=f"{callee}.ask"), source=f"{name}.py:3")
        for callee in calls
    )
    return model.Service(name=name, entry=f"{name}:{name}", endpoints=(endpoint,), calls=made, store=STORE, **more)  # type: ignore[arg-type]


def shop() -> model.System:
    """Declare what `told.morning` tells of, but for one way; and one service of which nothing is told."""
    placed = model.Event(name="orders.order_placed", key="id", schema={"type": "object"}, source="orders.py:9")
    hears = model.Subscription(event="orders.order_placed.v1", handler="tell", source="mail.py:7")
    services = (
        service("orders", "stock", publishes=(placed,)),
        service("payments"),
        service("products"),
        service("stock", "products"),
        service("mail", subscriptions=(hears,)),
    )
    return model.System(name="shop", services=services)


def city(count: int) -> model.System:
    """Declare many services, each of which calls up to three others."""
    names = [f"district-{number}" for number in range(count)]
    callees = [{names[n // 2], names[n // 3], names[n // 5]} - {names[n]} for n in range(count)]
    services = tuple(service(name, *sorted(some)) for name, some in zip(names, callees, strict=True))
    return model.System(name="city", services=services)
