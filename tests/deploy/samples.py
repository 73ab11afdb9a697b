"""Systems, and what is written for them."""

from functools import cache
from typing import Any

import yaml

from shoal.deploy.kubernetes.compile import compile_kubernetes
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import ENVIRONMENTS, Environment, Mesh
from shoal.deploy.kubernetes.target import target
from shoal.drivers.valkey.cache import CLUSTER_COMMANDS, COMMANDS
from shoal.model.artifact import Artifact
from shoal.model.cache import CacheUse
from shoal.model.plan import plan
from shoal.model.service import Access, Call, Endpoint, Event, Parameter, Policy, Service, Setting, Subscription
from shoal.model.store import Store
from shoal.model.system import Gateway, Issuer, System
from shoal.service.describe import describe

Document = dict[str, Any]

ANYONE, PRINCIPAL, INTERNAL = Access(kind="anyone"), Access(kind="principal"), Access(kind="internal")
MESHES: tuple[Mesh, ...] = ("istio", "istio-ambient", "linkerd", "none")


def endpoint(name: str, method: Any, path: str, access: Access = ANYONE, **more: Any) -> Endpoint:
    parameters = tuple(
        Parameter(name=part[1:-1], place="path", schema={}) for part in path.split("/") if part.startswith("{")
    )
    return Endpoint(
        name=name, method=method, path=path, access=access, parameters=parameters, source=f"cafe/{name}.py:7", **more
    )


TILL = Service(
    name="till",
    entry="cafe.till:till",
    summary="Takes what guests pay, and tells it.",
    source="cafe/till.py:12",
    endpoints=(
        endpoint("sell", "POST", "/sales", Access(kind="principal", roles=("waiter",))),
        endpoint("show", "GET", "/sales/{number}", PRINCIPAL, policy=Policy(timeout=2.0, attempts=2)),
        endpoint("today", "GET", "/sales/today", INTERNAL),
        endpoint("jwks", "GET", "/.well-known/jwks.json"),
    ),
    publishes=(Event(name="till.sold", key="number", schema={"type": "object"}, source="cafe/till.py:5"),),
    calls=(Call(service="menu", endpoint="prices", policy=Policy(timeout=1.0, attempts=2), source="cafe/till.py:20"),),
    store=Store(engine="postgres", migrations="migrations"),
    settings=(Setting(name="currency", variable="TILL__CURRENCY", required=False),),
)
MENU = Service(
    name="menu",
    entry="cafe.menu:menu",
    summary="What there is, and what it costs.",
    source="cafe/menu.py:9",
    endpoints=(
        endpoint("read", "GET", "/menu"),
        endpoint("prices", "GET", "/prices", INTERNAL, policy=Policy(timeout=1.0)),
    ),
    subscriptions=(Subscription(event="till.sold.v1", handler="count", source="cafe/menu.py:30"),),
    calls=(Call(service="till", endpoint="today", source="cafe/menu.py:40"),),
    store=Store(engine="postgres"),
    cache=CacheUse(),
)
CAFE = System(
    name="cafe",
    services=(TILL, MENU),
    gateway=Gateway(issuer=Issuer(service="till", audience="cafe", name="https://cafe.example")),
)
"""Two services that call each other and exchange an event."""


@cache
def shop() -> System:
    from shop.system import system  # noqa: PLC0415 - most tests need none of it

    return describe(system)


def scope_of(system: System, *environments: Environment, **more: Any) -> Scope:
    """Describe what is asked for; without environments, what the command asks for."""
    chosen = environments or ENVIRONMENTS
    planned = plan(system, target(system, chosen[0]))
    return Scope(plan=planned, environments=chosen, valkey=(*COMMANDS, *CLUSTER_COMMANDS), **more)


def written(system: System, *environments: Environment) -> dict[str, str]:
    """Compile a system, as texts by path."""
    return {a.path: a.text for a in artifacts(system, *environments)}


def artifacts(system: System, *environments: Environment) -> tuple[Artifact, ...]:
    return compile_kubernetes(scope_of(system, *environments))


def is_object(path: str) -> bool:
    """Tell whether a file holds objects; patches, kustomizations and settings of servers are none."""
    is_asked = path.startswith(("base/", "engines/", "overlays/")) and path.endswith(".yaml")
    return is_asked and not path.endswith(("kustomization.yaml", "sizes.yaml", "-disk.yaml"))


def objects(texts: dict[str, str]) -> list[Document]:
    """Read all objects of the base, the engines and the first overlay."""
    overlay = next(path for path in texts if path.startswith("overlays/")).split("/")[1]
    found: list[Document] = []
    for path, text in texts.items():
        if is_object(path) and path.startswith(("base/", "engines/", f"overlays/{overlay}/")):
            found += [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]
    return found


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def pods(documents: list[Document]) -> list[tuple[str, Document]]:
    """List the templates of pods, by the kind and name of whose they are."""
    found = []
    for one in documents:
        spec = one.get("spec", {})
        spec = spec["jobTemplate"]["spec"] if one["kind"] == "CronJob" else spec
        if one["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            found.append((f"{one['kind']} {one['metadata']['name']}", spec["template"]))
    return found
