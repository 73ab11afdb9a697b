"""Resources → files of Bicep: which file each is in, what others make, and in which order they are deployed. Pure."""

import graphlib
from collections.abc import Callable, Iterator
from typing import Any

from shoal.deploy.azure import resources as made
from shoal.deploy.azure.bicep import cluster, compute, door, mail, network, secrets, stores, watch
from shoal.deploy.azure.bicep.context import Context
from shoal.deploy.azure.bicep.references import DOMAIN, LOCATION, PASSWORDS, References, symbol
from shoal.deploy.azure.hcl import context as hcl
from shoal.deploy.bicep.printer import document
from shoal.deploy.bicep.values import Declaration, Module, Output, Parameter, Raw, Resource, Value
from shoal.deploy.cloud import resource
from shoal.deploy.cloud.hcl import HEAD
from shoal.deploy.cloud.values import Ref
from shoal.model.artifact import Artifact

Printer = Callable[[Any, Context], Iterator[Resource]]

PRINTERS: dict[type, tuple[str, str, Printer]] = {
    made.Network: ("network", "network", network.network),
    made.Subnet: ("subnet", "network", network.subnet),
    made.Wall: ("wall", "network", network.wall),
    made.Zone: ("zone", "names", network.zone),
    made.Endpoint: ("endpoint", "inside", network.endpoint),
    made.Vault: ("vault", "vault", secrets.vault),
    made.Key: ("key", "vault", secrets.key),
    made.Secret: ("secret", "vault", secrets.secret),
    made.Lock: ("lock", "vault", secrets.lock),
    made.Logs: ("logs", "ground", compute.logs),
    made.Registry: ("registry", "ground", compute.registry),
    made.Place: ("place", "place", compute.place),
    made.Workload: ("workload", "place", compute.workload),
    made.Operator: ("job", "operator", compute.operator),
    made.Cluster: ("cluster", "cluster", cluster.cluster),
    made.Identity: ("identity", "operator", secrets.identity),
    made.Grade: ("grade", "delivery", secrets.grade),
    made.Right: ("right", "operator", secrets.right),
    made.Postgres: ("postgres", "stores", stores.postgres),
    made.Cache: ("cache", "stores", stores.cache),
    made.Account: ("account", "stores", stores.account),
    made.Bus: ("bus", "streams", stores.bus),
    made.Topic: ("topic", "streams", stores.topic),
    made.Subscription: ("subscription", "streams", stores.subscription),
    made.Mail: ("mail", "mail", mail.mail),
    made.Door: ("door", "edge", door.door),
    made.Watch: ("hearers", "ground", watch.watch),
    made.Alarm: ("alarm", "edge", watch.alarm),
}
"""Kind → what references call it, the file of those that all share, and who writes it."""

_WITH = {"account": "objects", "cache": "redis"}
"""What is made beside a kind, and referred to by itself."""


class File:
    """One file: its resources and what they refer to."""

    def __init__(self, name: str, whole: hcl.Context, known: dict[tuple[str, str], object]) -> None:
        self.name, self._whole = name, whole
        self.references = References(whole.scope, known)
        self.made: set[tuple[str, str]] = set()
        self.resources: list[Resource] = []

    def add(self, one: resource.Resource) -> None:
        """Write a resource into it."""
        kind, _, printer = PRINTERS[type(one)]
        self.made |= _makes(kind, one)
        self.resources += printer(one, Context(whole=self._whole, references=self.references))

    def declared(self) -> Iterator[Declaration]:
        """List everything that it says, parameters first."""
        yield Parameter(name=LOCATION, default=Raw("resourceGroup().location"))
        yield Parameter(name="tags", kind="object", default={})
        if self.references.passwords:
            yield Parameter(name=PASSWORDS, kind="object", secure=True)
        if self.references.domain:
            yield Parameter(name=DOMAIN)
        yield from self.references.existing(frozenset(self.made))
        yield from self.resources
        if self.name == "place":
            yield Output(name=DOMAIN, value=Raw(f"{symbol('place')}.properties.defaultDomain"))

    def params(self) -> dict[str, Value]:
        """Say what it is given."""
        found: dict[str, Value] = {LOCATION: Raw(LOCATION), "tags": Raw("tags")}
        if self.references.passwords:
            found[PASSWORDS] = Raw(PASSWORDS)
        if self.references.domain:
            found[DOMAIN] = Raw(f"place.outputs.{DOMAIN}")
        return found


def compiled(whole: hcl.Context) -> Iterator[Artifact]:
    """Write every file of an environment."""
    files = split(whole)
    tags: dict[str, Value] = {"system": whole.scope.system, "environment": whole.scope.environment.name}
    passwords = Parameter(
        name=PASSWORDS, kind="object", secure=True, default={}, why="Passwords of databases, by name; keep them."
    )
    head: list[Declaration] = [
        Parameter(name=LOCATION, default=whole.scope.environment.region),
        Parameter(name="tags", kind="object", default={**tags, "managed-by": "bicep"}),
        passwords,
    ]
    modules = [
        Module(symbol=_module(name), path=f"{name}.bicep", params=files[name].params(), after=_modules(after))
        for name, after in order(files)
    ]
    folder, note = f"{whole.scope.environment.name}/bicep", HEAD.format("azure")
    how = "The same as Terraform's files beside it: use one of the two. az deployment group create -f main.bicep ..."
    yield Artifact(path=f"{folder}/main.bicep", text=document([*head, *modules], head=(note, how)))
    for name, file in files.items():
        yield Artifact(path=f"{folder}/{name}.bicep", text=document(file.declared(), head=(note,)))


def split(whole: hcl.Context) -> dict[str, File]:
    """Divide resources among files."""
    known: dict[tuple[str, str], object] = {
        (PRINTERS[type(one)][0], one.name): one for one in whole.resources if type(one) in PRINTERS
    }
    files: dict[str, File] = {}
    for one in whole.resources:
        if type(one) in PRINTERS:
            name = _file(one)
            files.setdefault(name, File(name, whole, known)).add(one)
    return {name: file for name, file in files.items() if file.resources}


def order(files: dict[str, File]) -> list[tuple[str, tuple[str, ...]]]:
    """Say which files come before which: those that make what others refer to."""
    owner = {one: name for name, file in files.items() for one in file.made}
    before = {
        name: {owner[one] for one in file.references.asked if one in owner} - {name} for name, file in files.items()
    }
    for name, file in files.items():
        if file.references.domain and name != "place":
            before[name].add("place")
        kinds = {one.symbol.partition("_")[0] for one in file.resources if not one.existing}
        if kinds & {"postgres", "endpoint"}:
            before[name].add("names")
        if kinds & {"workload", "job"}:  # the platform reads images and secrets by addresses inside
            before[name].add("inside")
    found, sorter = list[tuple[str, tuple[str, ...]]](), graphlib.TopologicalSorter(before)
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += [(name, tuple(sorted(before[name]))) for name in ready]
        sorter.done(*ready)
    return found


def _makes(kind: str, one: resource.Resource) -> set[tuple[str, str]]:
    beside = {(_WITH[kind], one.name)} if kind in _WITH else set()
    if kind == "account":
        beside.add(("container", one.name))
    if kind == "mail":
        beside |= {("post", one.name), ("domain", one.name)}
    if kind == "logs":
        beside = {("insights", "main")}
    return {(kind, one.name), *beside}


def _file(one: resource.Resource) -> str:
    if one.service:
        return f"service-{one.service}"
    if isinstance(one, made.Zone) and isinstance(one.domain, Ref):
        return "edge"
    if isinstance(one, made.Identity | made.Right) and "delivery" in (one.name, getattr(one, "identity", "")):
        return "delivery"
    return PRINTERS[type(one)][1]


def _module(name: str) -> str:
    return name.replace("-", "_")


def _modules(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_module(name) for name in names)
