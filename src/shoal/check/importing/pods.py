"""The containers of a pod: what they run, what they are told, what they get."""

import re
from collections.abc import Iterator, Mapping

from shoal.check.finding import Place
from shoal.check.importing.facts import Container, Said, Setting
from shoal.check.importing.tree import Node

Values = Mapping[tuple[str, str], Node]
"""Namespace and name of a ``ConfigMap`` → its values."""

_REFERENCE = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")


def containers(spec: Node, namespace: str, values: Values, *, limited: bool) -> Iterator[Container]:
    """List the containers of a pod; those that only prepare it are left out.

    Args:
        spec: Of the pod.
        namespace: Where it is.
        values: What maps of settings hold.
        limited: Whether containers of the namespace have limits by default.
    """
    for node in spec.at("containers"):
        image = node.at("image")
        resources = node.at("resources")
        yield Container(
            name=node.at("name").text,
            where=node.at("name").where,
            image=Said(image.text, image.where) if image else None,
            settings=_settings(node, namespace, values),
            arguments=tuple(Said(t.text, t.where) for key in ("command", "args") for t in node.at(key).texts),
            requested=limited or bool(resources.at("requests") or resources.at("limits")),
            limited=limited or bool(resources.at("limits", "memory")),
            ready=bool(node.at("readinessProbe")),
            ports=tuple(n for port in node.at("ports") if (n := port.at("containerPort").number) is not None),
        )


def _settings(node: Node, namespace: str, values: Values) -> tuple[Setting, ...]:
    found: dict[str, Setting] = {}
    for source in node.at("envFrom"):
        known = values.get((namespace, source.at("configMapRef", "name").text))
        for name, value in known.fields.items() if known else ():
            whole = source.at("prefix").text + name
            found[whole] = Setting(whole, known.key(name) if known else source.where, value.text, inline=False)
    for said in node.at("env"):
        name, value = said.at("name").text, said.at("value")
        if not said.at("valueFrom"):
            known_value = _REFERENCE.sub(lambda match: _value(found, match), value.text)
            found[name] = Setting(name, value.where if value else said.where, known_value)
        else:
            found[name] = _looked_up(name, said.at("valueFrom", "configMapKeyRef"), namespace, values, said.where)
    return tuple(found.values())


def _value(found: Mapping[str, Setting], match: re.Match[str]) -> str:
    """Return what a variable that is set before says; itself, where nobody knows."""
    known = found.get(match[1])
    return known.value if known is not None and known.value is not None else match[0]


def _looked_up(name: str, reference: Node, namespace: str, values: Values, where: Place) -> Setting:
    key = reference.at("key").text
    known = values.get((namespace, reference.at("name").text))
    if known is None or key not in known.fields:
        return Setting(name, where, None, inline=False)
    return Setting(name, known.key(key), known.fields[key].text, inline=False)
