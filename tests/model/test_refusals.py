"""What constructors refuse, with what they say, where, and what to do about it."""

from collections.abc import Callable

import pytest

from shoal.errors import DeclarationError
from shoal.model import (
    Access,
    Call,
    Endpoint,
    Event,
    External,
    Gateway,
    Issuer,
    Policy,
    Service,
    Store,
    Subscription,
    System,
    Target,
)
from shoal.model.service import Parameter, Schema
from shoal.model.system import from_json

TEXT: Schema = {"type": "string"}
ANYONE = Access(kind="anyone")


def endpoint(path: str = "/things", *, name: str = "things", access: Access = ANYONE, **more: object) -> Endpoint:
    found = [Parameter(name=p[1:-1], place="path", schema=TEXT) for p in path.split("/") if p.startswith("{")]
    values = {"parameters": tuple(found), "method": "GET", "source": f"{name}.py:7", **more}
    return Endpoint(name=name, path=path, access=access, **values)  # type: ignore[arg-type]


def event(name: str = "shop.sold", version: int = 1) -> Event:
    return Event(name=name, version=version, schema=TEXT, source="events.py:3")


def service(name: str = "shop", *endpoints: Endpoint, **more: object) -> Service:
    return Service(name=name, entry="m:s", endpoints=endpoints, source="shop.py:1", **more)  # type: ignore[arg-type]


def system(*services: Service, **more: object) -> System:
    return System(name="sys", services=services, **more)  # type: ignore[arg-type]


Case = tuple[Callable[[], object], str, str, str]
"""What is declared; what the message says, what the hint says, and the place."""

VALUES: tuple[Case, ...] = (
    (lambda: Policy(timeout=0), "timeout 0 s is out of range", "0 < timeout", ""),
    (lambda: Policy(timeout=float("nan")), "timeout nan s", "3600", ""),
    (lambda: Policy(timeout=3601), "timeout 3601", "3600", ""),
    (lambda: Policy(attempts=0), "attempts=0 is out of range", "1 to 100", ""),
    (lambda: Policy(attempts=101), "attempts=101", "1 to 100", ""),
    (lambda: Policy(backoff=-1), "backoff -1 s", "0 <= backoff", ""),
    (lambda: Access(kind="internal", roles=("admin",)), "'internal' asks for roles", "role(...)", ""),
    (lambda: Access(kind="anyone", scopes=("read",)), "'anyone' asks for roles or scopes", "scope(...)", ""),
    (lambda: Store(engine="oracle"), "no store engine is called 'oracle'", "postgres", ""),
    (lambda: Store(engine="nats"), "no store engine is called 'nats'", "memory", ""),
    (lambda: Store(needs=("telepathy",)), "capable of 'telepathy'", "transactions", ""),
    (lambda: Target(store="oracle"), "no store engine is called 'oracle'", "postgres", ""),
    (lambda: Target(broker="postgres"), "no broker engine is called 'postgres'", "nats", ""),
    (lambda: Target(replicas={"shop": 0}), "0 replicas of shop", "1 to 64", ""),
    (lambda: Target(replicas={"shop": 65}), "65 replicas of shop", "1 to 64", ""),
    (lambda: Target(port=65536), "65536 is no port", "65535", ""),
    (lambda: Gateway(port=0), "0 is no port", "65535", ""),
    (lambda: Issuer(service="shop", audience="", name="us"), "no audience", "audience=", ""),
    (lambda: External(name="Mail!", setting="url", source="s.py:9"), "external name 'Mail!'", "hyphens", "s.py:9"),
    (lambda: event("sold"), "'sold' is not of the form", "orders.placed", "events.py:3"),
    (lambda: event("Shop.Sold"), "'Shop.Sold' is not of the form", "lower-case", "events.py:3"),
    (lambda: event("shop." + "x" * 80), "is not of the form", "lower-case", "events.py:3"),
    (lambda: event("shop.>"), "is not of the form", "lower-case", "events.py:3"),
    (lambda: event(version=0), "has version 0", "count from 1", "events.py:3"),
)

PATHS: tuple[tuple[str, str], ...] = (
    ("things", "not an absolute path template"),
    ("", "not an absolute path template"),
    ("/a//b", "not an absolute path template"),
    ("/a b", "not an absolute path template"),
    ("/a?x=1", "not an absolute path template"),
    ("/a#b", "not an absolute path template"),
    ("/a%20b", "not an absolute path template"),
    ("/a/../b", "not an absolute path template"),
    ("/ä", "not an absolute path template"),
    ("/a/x{id}", "not an absolute path template"),
    ("/a/{id", "not an absolute path template"),
    ("/a/{}", "not an absolute path template"),
    ("/a/{b/c}", "not an absolute path template"),
)

ENDPOINTS: tuple[Case, ...] = (
    (lambda: endpoint("/a/{id}/b/{id}"), "names a parameter twice", "rename", "things.py:7"),
    (lambda: endpoint("/a/{id}", parameters=()), "disagree about: id", "{parameter}", "things.py:7"),
    (
        lambda: endpoint("/a", parameters=(Parameter(name="id", place="path", schema=TEXT),)),
        "disagree about: id",
        "{parameter}",
        "things.py:7",
    ),
    (
        lambda: endpoint(
            "/a", parameters=tuple(Parameter(name=n, place="header", schema=TEXT) for n in ("X-A", "x-a"))
        ),
        "takes header parameter x-a twice",
        "rename",
        "things.py:7",
    ),
    (lambda: endpoint(status=99), "status 99", "200 to 399", "things.py:7"),
    (lambda: endpoint(status=404), "status 404", "raise Problem", "things.py:7"),
    (lambda: endpoint(status=204, response=TEXT), "status 204 and a body", "without a body", "things.py:7"),
)

SERVICES: tuple[Case, ...] = (
    (lambda: service("Shop"), "service name 'Shop' is not a DNS label", "lower-case", "shop.py:1"),
    (lambda: service("x" * 41), "is not a DNS label", "40 characters", "shop.py:1"),
    (lambda: service("postgres"), "'postgres' is reserved", "what it does", "shop.py:1"),
    (lambda: service("gateway"), "'gateway' is reserved", "what it does", "shop.py:1"),
    (lambda: service("pg-tools"), "'pg-tools' is reserved", "what it does", "shop.py:1"),
    (lambda: service("shop", endpoint(), endpoint("/b")), "endpoint things twice", "rename", "things.py:7"),
    (
        lambda: service("shop", endpoint("/a/{x}"), endpoint("/a/{y}", name="b")),
        "route GET /a/{} twice",
        "rename",
        "b.py:7",
    ),
    (
        lambda: service("shop", endpoint("/a/{x}"), endpoint("/a/{y}", name="b", method="PUT")),
        "b spells /a/{y} what things spells /a/{x}",
        "alike",
        "b.py:7",
    ),
    (lambda: service("shop", endpoint("/ready")), "asks for /ready", "another path", "things.py:7"),
    (lambda: service(publishes=(event(), event()), store=Store()), "event shop.sold.v1 twice", "rename", "shop.py:1"),
    (
        lambda: service(publishes=(event("bank.paid"),), store=Store()),
        "shop publishes bank.paid, which is named after bank",
        "shop.paid",
        "events.py:3",
    ),
    (lambda: service(publishes=(event(),)), "events but no store", "store=Postgres", "shop.py:1"),
    (
        lambda: service(subscriptions=tuple(Subscription(event="a.b.v1", handler=h) for h in "xy"), store=Store()),
        "subscription to a.b.v1 twice",
        "rename",
        "shop.py:1",
    ),
    (
        lambda: service(subscriptions=(Subscription(event="a.b.v1", handler="x"),)),
        "events but no store",
        "store=",
        "shop.py:1",
    ),
)

HEARS = Subscription(event="bank.paid.v1", handler="x", source="shop.py:20")

SYSTEMS: tuple[Case, ...] = (
    (lambda: System(name="Big System", services=()), "system name 'Big System'", "lower-case", ""),
    (lambda: system(service(), service()), "uses the name 'shop' twice", "rename", ""),
    (
        lambda: system(service(), externals=(External(name="shop", setting="url"),)),
        "uses the name 'shop' twice",
        "rename",
        "",
    ),
    (
        lambda: system(service("a", endpoint("/x/{i}")), service("b", endpoint("/x/{j}", name="other"))),
        "GET /x/{j} of b is already served by a (things.py:7)",
        "cannot share",
        "other.py:7",
    ),
    (
        lambda: system(service(subscriptions=(HEARS,), store=Store())),
        "shop subscribes to bank.paid.v1, which no service publishes",
        "publishes=",
        "shop.py:20",
    ),
    (
        lambda: system(service(calls=(Call(service="bank", endpoint="pay", source="shop.py:5"),))),
        "shop calls bank.pay, which does not exist",
        "add the service bank",
        "shop.py:5",
    ),
    (
        lambda: system(service(calls=(Call(service="b", endpoint="pay", source="shop.py:5"),)), service("b")),
        "shop calls b.pay, which does not exist",
        "implement",
        "shop.py:5",
    ),
    (
        lambda: system(service("shop", endpoint(access=Access()))),
        "GET /things needs a principal, but system sys has no issuer",
        "issuer=Issuer(...)",
        "things.py:7",
    ),
    (
        lambda: system(service(), gateway=Gateway(issuer=Issuer(service="x", audience="a", name="n"))),
        "issuer 'x' is no service",
        "name one",
        "",
    ),
    (lambda: system(service(externals=("mail",))), "shop uses the external 'mail'", "externals=[", "shop.py:1"),
    (lambda: system(service()).service("bank"), "has no service 'bank'", "its services are: shop", ""),
    (lambda: from_json(b"{"), "this is not a system", "shoal describe", ""),
    (lambda: from_json(b'{"name":"\xff"}'), "this is not a system", "shoal describe", ""),
    (lambda: from_json(b'{"name":"x","services":[],"colour":1}'), "unknown field `colour`", "shoal describe", ""),
    (lambda: from_json(b'{"name":"X Y","services":[]}'), "system name 'X Y'", "lower-case", ""),
)


@pytest.mark.parametrize("case", [*VALUES, *ENDPOINTS, *SERVICES, *SYSTEMS], ids=lambda c: c[1])
def test_the_impossible_is_refused(case: Case) -> None:
    declare, message, hint, where = case
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.where == where or (not where and "tests/model/test_refusals.py:" in caught.value.where)
    assert str(caught.value).startswith(where)


@pytest.mark.parametrize(("path", "message"), PATHS)
def test_a_malformed_path_is_refused(path: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        Endpoint(name="things", method="GET", path=path, access=ANYONE, source="things.py:7")
    assert caught.value.where == "things.py:7"


@pytest.mark.parametrize("path", ["/", "/a/", "/a-b/c.d/~e", "/a/{id}", "/{a}/{b}", "/.well-known/jwks.json", "/a:go"])
def test_an_absolute_path_is_accepted(path: str) -> None:
    assert endpoint(path).path == path


def test_one_route_may_be_inside_one_service_and_outside_another() -> None:
    inside = endpoint("/x", access=Access(kind="internal"))
    assert system(service("a", inside), service("b", endpoint("/x"))).service("a").endpoint("things") == inside
