"""Files of Compose → facts (Compose specification). Files of one folder are one project; later ones say more."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from shoal.check.finding import Place
from shoal.check.importing import images
from shoal.check.importing.facts import Container, Facts, Said, Setting, Unit
from shoal.check.importing.interpolation import UNKNOWN, Resolved, resolved, variables
from shoal.check.importing.tree import Beside, Document, Node

_LOOPBACK = ("127.", "localhost", "[::1]", "::1")
_KEYS = frozenset({"image", "build", "extends", "environment", "env_file", "ports", "depends_on", "command", "deploy"})
"""Of which a service says at least one; a file that changes another one may say no image."""

_TOP = frozenset({"version", "name", "services", "include", "networks", "volumes", "configs", "secrets", "models"})
"""What a file says at its top."""

_EXTENDS = 10
"""How far ``extends`` is followed."""


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


def read(documents: Sequence[Document], beside: Beside) -> Facts:
    """Read what files of Compose tell.

    Args:
        documents: Those files.
        beside: Finds ``.env`` and what ``env_file`` names.
    """
    folders: dict[str, list[Document]] = {}
    for document in documents:
        folders.setdefault(posixpath.dirname(document.path), []).append(document)
    units = [unit for folder, own in folders.items() for unit in _project(folder, own, beside)]
    return Facts(forms=frozenset({"compose"}) if units else frozenset(), units=tuple(units))


def _project(folder: str, documents: Sequence[Document], beside: Beside) -> Iterator[Unit]:
    said: dict[str, list[tuple[Node, Place]]] = {}
    for document in documents:
        services = document.root.at("services")
        for name, node in services.fields.items():
            said.setdefault(name, []).append((node, services.key(name)))
    project = _Project(folder, {name: [node for node, _ in nodes] for name, nodes in said.items()}, beside)
    for name, nodes in said.items():
        if any(node.kind == "map" for node, _ in nodes):
            yield project.unit(name, nodes[0][1])


@dataclass(frozen=True, eq=False)
class _Project:
    folder: str
    services: Mapping[str, Sequence[Node]]
    beside: Beside

    def unit(self, name: str, where: Place) -> Unit:
        nodes = self._extended(name)
        image = self._said(_last(nodes, "image"))
        role = images.role(image.text if image else "", name)
        replicas = _last(nodes, "deploy", "replicas") or _last(nodes, "scale")
        return Unit(
            name=name,
            form="compose",
            where=where,
            service=name,
            role=role,
            kind="service",
            scope=self.folder,
            names=frozenset({name, *self._names(nodes)}),
            containers=(self._container(name, where, image, nodes),),
            after=tuple(_after(nodes)),
            replicas=self._resolved(replicas).number if replicas else None,
            replicas_at=replicas.where if replicas else None,
            doors=tuple(self._doors(nodes)),
            asked=bool(_last(nodes, "ports") or _last(nodes, "expose")),
        )

    def _extended(self, name: str) -> list[Node]:
        """List what is said of a service, what it extends first. A base in another file is not followed."""
        found = list(self.services.get(name, ()))
        for _ in range(_EXTENDS):
            base = _last(found[:1], "extends")
            of = base.text or base.at("service").text
            if not base or base.at("file") or of not in self.services or self.services[of][0] in found:
                break
            found = [*self.services[of], *found]
        return found

    def _container(self, name: str, where: Place, image: Said | None, nodes: Sequence[Node]) -> Container:
        limits = ("deploy", "resources", "limits", "memory")
        reserved = ("deploy", "resources", "reservations")
        words = [word for key in ("entrypoint", "command") for word in _last(nodes, key).texts]
        return Container(
            name=name,
            where=where,
            image=image,
            settings=tuple(self._settings(nodes)),
            arguments=tuple(Said(self._resolve(word.text).text, word.where) for word in words),
            requested=bool(_last(nodes, *reserved)),
            limited=bool(_last(nodes, *limits) or _last(nodes, "mem_limit")),
        )

    def _settings(self, nodes: Sequence[Node]) -> Iterator[Setting]:
        found: dict[str, Setting] = {}
        for node in nodes:
            for file in node.at("env_file").texts or tuple(item.at("path") for item in node.at("env_file")):
                path = posixpath.normpath(posixpath.join(self.folder, self._resolve(file.text).text))
                for name, value in variables(self.beside(path) or "").items():
                    found[name] = Setting(name, file.where, value, inline=False)
            environment = node.at("environment")
            for name, value_ in environment.fields.items():
                found[name] = self._setting(name, value_.text if value_ else None, value_.where)
            for item in environment:
                name, equals, text = item.text.partition("=")
                found[name] = self._setting(name, text if equals else None, _behind(item, equals))
        yield from found.values()

    def _setting(self, name: str, text: str | None, where: Place) -> Setting:
        if text is None:
            return Setting(name, where, self._environment.get(name), inline=False)
        value = self._resolve(text)
        return Setting(name, where, value.text, inline=value.inline)

    def _names(self, nodes: Sequence[Node]) -> Iterator[str]:
        for key in ("container_name", "hostname"):
            if said := self._said(_last(nodes, key)):
                yield said.text
        for node in nodes:
            for network in node.at("networks").fields.values():
                yield from (alias.text for alias in network.at("aliases"))

    def _doors(self, nodes: Sequence[Node]) -> Iterator[Said]:
        for port in (port for node in nodes for port in node.at("ports")):
            text = self._resolve(port.text).text if port.kind == "text" else port.at("published").text
            host = port.at("host_ip").text
            somewhere = text.startswith(UNKNOWN) and text.count(":") > 1
            if text and not somewhere and not text.startswith(_LOOPBACK) and not host.startswith(_LOOPBACK):
                yield Said(text, port.where)

    def _said(self, node: Node) -> Said | None:
        text = self._resolve(node.text)
        return Said(text.text, node.where) if node and text.known else None

    def _resolved(self, node: Node) -> Node:
        return Node(node.where, "text", self._resolve(node.text).text, plain=True)

    def _resolve(self, text: str) -> Resolved:
        return resolved(text, self._environment)

    @cached_property
    def _environment(self) -> Mapping[str, str]:
        return variables(self.beside(posixpath.join(self.folder, ".env")) or "")


def _behind(item: Node, sign: str) -> Place:
    """Say where the value of ``NAME=value`` is; the name, where it has none."""
    where = item.where
    begin = where.column + (item.text.index(sign) + 1 + (not item.plain) if sign else 0)
    return msgspec.structs.replace(where, column=begin) if where.line == where.end_line else where


def _last(nodes: Sequence[Node], *path: str) -> Node:
    """Find what is said last at a path; nothing where nobody says anything there."""
    found = [node.at(*path) for node in nodes]
    return next((node for node in reversed(found) if node), found[0] if found else Node(Place("")))


def _after(nodes: Sequence[Node]) -> Iterator[Said]:
    for node in nodes:
        for key in ("depends_on", "links"):
            said = node.at(key)
            yield from (Said(name, said.key(name)) for name in said.fields)
            yield from (Said(item.text.partition(":")[0], item.where) for item in said)
