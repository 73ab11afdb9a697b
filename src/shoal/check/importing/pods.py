"""The containers of a pod: what they run, what they are told, what they get."""

import re
from collections.abc import Iterator, Mapping

from shoal.check.importing.facts import Container, Said, Setting
from shoal.check.importing.tree import Node

Values = Mapping[tuple[str, str, str], Mapping[str, Said]]
"""Kind, namespace and name of a ``ConfigMap`` or a ``Secret`` → what it holds, readable."""

_REFERENCE = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")


def containers(spec: Node, namespace: str, values: Values, *, limited: bool) -> Iterator[Container]:
    """List the containers of a pod; those that only prepare it are left out.

    Args:
        spec: Of the pod.
        namespace: Where it is.
        values: What maps of settings and secrets hold.
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
        for kind, word in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            known = values.get((kind, namespace, source.at(word, "name").text), {})
            for name, value in known.items():
                whole = source.at("prefix").text + name
                found[whole] = Setting(whole, value.where, value.text, inline=False, hidden=kind == "Secret")
    for said in node.at("env"):
        name, value_ = said.at("name").text, said.at("value")
        if not said.at("valueFrom"):
            text = _REFERENCE.sub(lambda match: _value(found, match), value_.text)
            found[name] = Setting(name, value_.where if value_ else said.where, text)
        else:
            found[name] = _looked_up(name, said, namespace, values)
    return tuple(found.values())


def _value(found: Mapping[str, Setting], match: re.Match[str]) -> str:
    """Return what a variable that is set before says; itself, where nobody knows."""
    known = found.get(match[1])
    return known.value if known is not None and known.value is not None else match[0]


def _looked_up(name: str, said: Node, namespace: str, values: Values) -> Setting:
    for kind, word in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        reference = said.at("valueFrom", word)
        known = values.get((kind, namespace, reference.at("name").text), {}).get(reference.at("key").text)
        if known is not None:
            return Setting(name, known.where, known.text, inline=False, hidden=kind == "Secret")
    return Setting(name, said.where, None, inline=False)
