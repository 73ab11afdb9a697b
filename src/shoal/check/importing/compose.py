"""Files of Compose → facts (Compose specification). Files of one folder are one project; later ones say more."""

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import msgspec

from shoal.check.finding import Place
from shoal.check.importing import images
from shoal.check.importing.facts import Argument, Container, Facts, Said, Setting, Unit
from shoal.check.importing.interpolation import UNKNOWN, Resolved, resolved, variables, without
from shoal.check.importing.reading import Others
from shoal.check.importing.tree import Document, Node

_LOOPBACK = ("127.", "localhost", "[::1]", "::1")
_KEYS = frozenset({"image", "build", "extends", "environment", "env_file", "ports", "depends_on", "command", "deploy"})
"""Of which a service says at least one; a file that changes another one may say no image."""

_TOP = frozenset({"version", "name", "services", "include", "networks", "volumes", "configs", "secrets", "models"})
"""What a file says at its top."""

_EXTENDS = 10
"""How far ``extends`` is followed."""

_RESET, _OVERRIDE = "!reset", "!override"
"""Tags of what an earlier file says no longer; the second says something in its place ("Merge")."""

Services = Mapping[str, Sequence[Node]]
"""Name of a service → what files say of it, one after the other."""


def is_one(root: Node) -> bool:
    """Tell whether a document is of this kind: services that say what they run, or files that do."""
    if included(root) and all(key in _TOP or key.startswith("x-") for key in root.fields):
        return True
    services = root.at("services")
    own = [service for service in services.fields.values() if service.kind == "map"]
    return services.kind == "map" and bool(own) and any(_KEYS & {*service.fields} for service in own)


def included(root: Node) -> tuple[Node, ...]:
    """List the files that a file includes, relative to its folder."""
    found = [item.at("path") if item.kind == "map" else item for item in root.at("include")]
    return tuple(text for node in found for text in node.texts)


def environment(folder: str, others: Others) -> Mapping[str, str]:
    """Read the variables that files of a folder may use: ``.env``."""
    return variables(others.text(posixpath.join(folder, ".env")))


def read(documents: Sequence[Document], others: Others) -> Facts:
    """Read what files of Compose tell.

    Args:
        documents: Those files.
        others: Reads ``.env``, and what ``env_file`` and ``extends`` name.
    """
    folders: dict[str, list[Document]] = {}
    for document in documents:
        folders.setdefault(posixpath.dirname(document.path), []).append(document)
    units = [unit for folder, own in folders.items() for unit in _project(folder, own, others)]
    return Facts(forms=frozenset({"compose"}) if units else frozenset(), units=tuple(units))


def _project(folder: str, documents: Sequence[Document], others: Others) -> Iterator[Unit]:
    said: dict[str, list[Node]] = {}
    keys: dict[str, Place] = {}
    for document in documents:
        services = document.root.at("services")
        for name, node in services.fields.items():
            keys.setdefault(name, services.key(name))
            said[name] = _changed(said.get(name, []), node)
    project = _Project(folder, said, others)
    for name, nodes in said.items():
        if any(node.kind == "map" for node in nodes):
            yield project.unit(name, keys[name])


def _changed(before: Sequence[Node], node: Node) -> list[Node]:
    """Add what a later file says of a service to what earlier ones do."""
    if node.tag in (_RESET, _OVERRIDE):
        return [node] if node.tag == _OVERRIDE else []
    tags = {key: value.tag for key, value in node.fields.items() if value.tag in (_RESET, _OVERRIDE)}
    reset = [key for key, tag in tags.items() if tag == _RESET]
    return [*(_without(one, tags) for one in before), _without(node, reset)]


def _without(node: Node, keys: Collection[str]) -> Node:
    return replace(node, fields={key: value for key, value in node.fields.items() if key not in keys})


@dataclass(frozen=True, eq=False)
class _Project:
    folder: str
    services: Services
    others: Others
    files: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Files of variables that were read."""

    def unit(self, name: str, where: Place) -> Unit:
        nodes = self._extended(name)
        image = self._said(_last(nodes, "image"))
        replicas = _last(nodes, "deploy", "replicas") or _last(nodes, "scale")
        return Unit(
            name=name,
            form="compose",
            where=where,
            service=name,
            role=images.role(image.text if image else "", name),
            kind="service",
            scope=self.folder,
            names=frozenset({name, *self._names(nodes)}),
            containers=(self._container(name, where, image, nodes),),
            links=dict(_links(nodes)),
            after=tuple(_after(nodes)),
            replicas=self._resolved(replicas).number if replicas else None,
            replicas_at=replicas.where if replicas else None,
            doors=tuple(self._doors(nodes)),
            asked=bool(_last(nodes, "ports") or _last(nodes, "expose")),
        )

    def _extended(self, name: str) -> list[Node]:
        """List what is said of a service, what it extends first."""
        found = list(self.services.get(name, ()))
        for _ in range(_EXTENDS):
            base = self._base(_last(found[:1], "extends"))
            if not base or base[0] in found:
                break
            found = [*base, *found]
        return found

    def _base(self, extends: Node) -> Sequence[Node]:
        """Find what is said of the service that is extended: in the same file, or in the one that is named."""
        if not extends:
            return ()
        home, file = extends.where.file, self._resolve(extends.at("file").text).text
        near = posixpath.dirname(home)
        if not file and near == self.folder:
            known = self.services
        else:
            known = self._other(posixpath.normpath(posixpath.join(near, file)) if file else home)
        return known.get(extends.text or extends.at("service").text, ())

    def _other(self, path: str) -> Services:
        root = self.others.root(path) or Node(Place(path))
        return {name: (node,) for name, node in root.at("services").fields.items()}

    def _container(self, name: str, where: Place, image: Said | None, nodes: Sequence[Node]) -> Container:
        limits = ("deploy", "resources", "limits", "memory")
        reserved = ("deploy", "resources", "reservations")
        words = [word for key in ("entrypoint", "command") for word in _last(nodes, key).texts]
        return Container(
            name=name,
            where=where,
            image=image,
            built=_built(_last(nodes, "build")),
            settings=tuple(self._settings(nodes)),
            arguments=tuple(Argument(self._resolve(word.text).text, word.where, without(word.text)) for word in words),
            requested=bool(_last(nodes, *reserved)),
            limited=bool(_last(nodes, *limits) or _last(nodes, "mem_limit")),
        )

    def _settings(self, nodes: Sequence[Node]) -> Iterator[Setting]:
        """List variables; what a service sets itself comes before what files say ("env_file")."""
        found: dict[str, Setting] = {}
        for node in nodes:
            for file in node.at("env_file").texts or tuple(item.at("path") for item in node.at("env_file")):
                near = posixpath.dirname(node.where.file)
                path = posixpath.normpath(posixpath.join(near, self._resolve(file.text).text))
                for name, value in self._variables(path).items():
                    found[name] = Setting(name, file.where, value)
        for node in nodes:
            own = node.at("environment")
            for name, value_ in own.fields.items():
                found[name] = self._setting(name, value_.text if value_ else None, value_.where)
            for item in own:
                name, equals, text = item.text.partition("=")
                found[name] = self._setting(name, text if equals else None, _behind(item, equals))
        yield from found.values()

    def _variables(self, path: str) -> Mapping[str, str]:
        if path not in self.files:
            self.files[path] = variables(self.others.text(path))
        return self.files[path]

    def _setting(self, name: str, text: str | None, where: Place) -> Setting:
        if text is None:
            return Setting(name, where, self._environment.get(name))
        return Setting(name, where, self._resolve(text).text, without(text))

    def _names(self, nodes: Sequence[Node]) -> Iterator[str]:
        for key in ("container_name", "hostname"):
            said = self._resolve(_last(nodes, key).text)
            if said.text and said.known:
                yield said.text
        for node in nodes:
            for network in node.at("networks").fields.values():
                yield from (alias.text for alias in network.at("aliases"))

    def _doors(self, nodes: Sequence[Node]) -> Iterator[Said]:
        """List the ports that are published; not those on an address that is the machine's own, or not known."""
        network = _last(nodes, "network_mode")
        if network.text == "host":
            yield Said("network_mode: host", network.where)
        for port in (port for node in nodes for port in node.at("ports")):
            text = self._resolve(port.text or port.at("published").text).text
            host = self._resolve(port.at("host_ip").text).text
            address = host or (text if text.count(":") > 1 else "")
            if text and not address.startswith((UNKNOWN, *_LOOPBACK)):
                yield Said(text if port.text else f"published: {text}", port.where)

    def _said(self, node: Node) -> Said | None:
        return Said(self._resolve(node.text).text, node.where) if node else None

    def _resolved(self, node: Node) -> Node:
        return Node(node.where, "text", self._resolve(node.text).text, plain=True)

    def _resolve(self, text: str) -> Resolved:
        return resolved(text, self._environment)

    @cached_property
    def _environment(self) -> Mapping[str, str]:
        return environment(self.folder, self.others)


def _built(build: Node) -> str:
    """Say of what an image is built; what is built alike is one program."""
    if not build:
        return ""
    folder = posixpath.join(posixpath.dirname(build.where.file), build.text or build.at("context").text)
    chosen = [build.at(key).text for key in ("dockerfile", "target")]
    arguments = [item.text for item in build.at("args")]
    arguments += [f"{name}={value.text}" for name, value in build.at("args").fields.items()]
    return " ".join([posixpath.normpath(folder), *chosen, *sorted(arguments)])


def _behind(item: Node, sign: str) -> Place:
    """Say where the value of ``NAME=value`` is; the name, where it has none."""
    where = item.where
    begin = where.column + (item.text.index(sign) + 1 + (not item.plain) if sign else 0)
    return msgspec.structs.replace(where, column=begin) if where.line == where.end_line else where


def _last(nodes: Sequence[Node], *path: str) -> Node:
    """Find what is said last at a path; nothing where nobody says anything there."""
    found = [node.at(*path) for node in nodes]
    return next((node for node in reversed(found) if node), found[0] if found else Node(Place("")))


def _links(nodes: Sequence[Node]) -> Iterator[tuple[str, Said]]:
    """Map what a service calls others to their names: ``name`` or ``name:what``."""
    for item in (item for node in nodes for item in node.at("links").texts):
        name, _, called = item.text.partition(":")
        yield (called or name).lower(), Said(name, item.where)


def _after(nodes: Sequence[Node]) -> Iterator[Said]:
    for said in (node.at("depends_on") for node in nodes):
        yield from (Said(name, said.key(name)) for name in said.fields)
        yield from (Said(item.text, item.where) for item in said)
