"""The containers of a pod: what they run, what they are told, what they get."""

import re
from collections.abc import Iterator, Mapping

from shoal.check.importing.facts import Argument, Container, Said, Setting
from shoal.check.importing.interpolation import LONGEST
from shoal.check.importing.tree import Node

Values = Mapping[tuple[str, str, str], Mapping[str, Said]]
"""Kind, namespace and name of a ``ConfigMap`` or a ``Secret`` → what it holds, readable."""

_REFERENCE = re.compile(r"(?<!\$)\$\(([A-Za-z_][\w.-]*)\)")


def containers(nodes: Node, namespace: str, values: Values, *, limited: bool) -> Iterator[Container]:
    """List containers of a pod.

    Args:
        nodes: Those that run, or those that prepare it.
        namespace: Where it is.
        values: What maps of settings and secrets hold.
        limited: Whether containers of the namespace have limits by default.
    """
    for node in nodes:
        image = node.at("image")
        resources = node.at("resources")
        yield Container(
            name=node.at("name").text,
            where=node.at("name").where,
            image=Said(image.text, image.where) if image else None,
            settings=_settings(node, namespace, values),
            arguments=tuple(
                Argument(t.text, t.where, t.text) for key in ("command", "args") for t in node.at(key).texts
            ),
            requested=limited or bool(resources.at("requests") or resources.at("limits")),
            limited=limited or bool(resources.at("limits", "memory")),
            ready=bool(node.at("readinessProbe")),
        )


def _settings(node: Node, namespace: str, values: Values) -> tuple[Setting, ...]:
    found: dict[str, Setting] = {}
    for source in node.at("envFrom"):
        for kind, word in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            known = values.get((kind, namespace, source.at(word, "name").text), {})
            for name, value in known.items():
                whole = source.at("prefix").text + name
                found[whole] = Setting(whole, value.where, value.text, hidden=kind == "Secret")
    for said in node.at("env"):
        name, value_ = said.at("name").text, said.at("value")
        if not said.at("valueFrom"):
            found[name] = Setting(name, value_.where if value_ else said.where, _put(value_.text, found), value_.text)
        else:
            found[name] = _looked_up(name, said, namespace, values)
    return tuple(found.values())


def _put(text: str, found: Mapping[str, Setting]) -> str:
    """Put the values of variables that are set before into a text, as far as they are known and that ends."""
    put = 0

    def value(match: re.Match[str]) -> str:
        nonlocal put
        known = found.get(match[1])
        if known is None or known.value is None:
            return match[0]
        put += len(known.value)
        return known.value if put <= LONGEST else match[0]

    return _REFERENCE.sub(value, text)


def _looked_up(name: str, said: Node, namespace: str, values: Values) -> Setting:
    for kind, word in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        reference = said.at("valueFrom", word)
        known = values.get((kind, namespace, reference.at("name").text), {}).get(reference.at("key").text)
        if known is not None:
            return Setting(name, known.where, known.text, hidden=kind == "Secret")
    return Setting(name, said.where)
