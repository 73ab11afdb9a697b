"""What the gateway does with requests and answers, as API Management's policies. Pure.

Source: "API Management policy reference". Services verify tokens again, so what cannot be said here is not open.
"""

import json
import math
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from shoal.deploy.azure.scope import Scope
from shoal.model.issuers import OpenId
from shoal.model.limits import RateLimit, Who
from shoal.model.only import Only
from shoal.model.plan import Route
from shoal.model.untrusted import UNTRUSTED

_ADDRESS = "@(context.Request.IpAddress)"
_TOKEN = "token"  # noqa: S105 - a name
"""Variable in which a verified token is."""

_SHOWN = f'((Jwt)context.Variables["{_TOKEN}"])'
_SIGNED_IN = f'@({_SHOWN}.Issuer + " " + {_SHOWN}.Subject)'
_QUOTED, _QUOTE = re.compile(r'="([^"]*)"'), '"'
_SECTIONS = ("inbound", "backend", "outbound", "on-error")
_LONGEST_PERIOD = 300
"""Seconds over which a limit is counted at most."""


def of_all(scope: Scope) -> str:
    """Write what is done with every request: headers that nobody may say, pages of others, what protects browsers."""
    root, inbound, outbound = _document()
    cors = scope.plan.system.gateway.cors
    if cors is not None:
        methods = cors.methods or tuple(sorted({route.method for route in scope.plan.routes}))
        allowed = SubElement(inbound, "cors", {"allow-credentials": str(cors.credentials).lower()})
        _listed(allowed, "allowed-origins", "origin", cors.origins)
        age = {"preflight-result-max-age": str(int(cors.max_age))}
        _listed(allowed, "allowed-methods", "method", (*methods, "OPTIONS"), age)
        _listed(allowed, "allowed-headers", "header", cors.headers)
        _listed(allowed, "expose-headers", "header", cors.exposed)
    for name in UNTRUSTED:
        _header(inbound, name, "delete")
    for name, value in _protecting(scope):
        _header(outbound, name, "skip", value)
    return _text(root)


def of_route(scope: Scope, route: Route, longest: float) -> str:
    """Write what is done with the requests of one operation."""
    root, inbound, outbound = _document()
    if route.edge.only is not None:
        _only(inbound, route.edge.only)
    if route.access.kind == "principal":
        _tokens(inbound, verified(scope))
    if route.edge.limit is not None:
        _limit(inbound, route.edge.limit, route, whose(scope, route, route.edge.limit))
    SubElement(inbound, "set-backend-service", {"backend-id": route.service})
    if route.inside != route.path:
        SubElement(inbound, "rewrite-uri", {"template": route.inside, "copy-unmatched-params": "true"})
    _transformed(inbound, outbound, route)
    backend = next(one for one in root if one.tag == "backend")
    backend.clear()
    seconds = longest if route.edge.goes_on else min(max(1.0, route.policy.timeout), longest)
    more = {"buffer-response": "false"} if route.edge.goes_on else {}
    SubElement(backend, "forward-request", {"timeout": str(math.ceil(seconds)), **more})
    return _text(root)


def verified(scope: Scope) -> tuple[OpenId, ...]:
    """Name the issuers whose tokens the gateway verifies: all of them, where it can verify each; else none.

    It reads key sets by https and knows RS256 alone; keys of programs and tokens that the system signs are not of it.
    """
    gateway = scope.plan.system.gateway
    able = [
        one
        for one in gateway.issuers
        if one.remote
        and one.issuer.startswith("https://")
        and one.algorithms == ("RS256",)
        and one.audience_claim == "aud"
    ]
    alone = len(able) == len(gateway.issuers) and gateway.issuer is None and not gateway.consumers
    return tuple(able) if alone else ()


def _only(inbound: Element, only: Only) -> None:
    """Hide an operation from all requests but those that it is there for; an answer for each condition."""
    asked = [
        f"Headers.GetValueOrDefault({_text_of(n)}, {_text_of('')}) == {_text_of(v)}" for n, v in only.headers.items()
    ]
    conditions = [f"context.Request.{one}" for one in asked]
    if only.hosts:
        hosts = ", ".join(map(_text_of, only.hosts))
        conditions.append(f"new [] {{ {hosts} }}.Contains(context.Request.OriginalUrl.Host.ToLowerInvariant())")
    for condition in conditions:
        found = SubElement(SubElement(inbound, "choose"), "when", {"condition": f"@(!({condition}))"})
        SubElement(SubElement(found, "return-response"), "set-status", {"code": "404", "reason": "Not Found"})


def _tokens(inbound: Element, issuers: tuple[OpenId, ...]) -> None:
    if not issuers:
        return
    said = {
        "header-name": "Authorization",
        "require-scheme": "Bearer",
        "require-expiration-time": "true",
        "require-signed-tokens": "true",
        "failed-validation-httpcode": "401",
        "failed-validation-error-message": "The token is missing, or not one of ours.",
        "output-token-variable-name": _TOKEN,
    }
    check = SubElement(inbound, "validate-jwt", said)
    for one in issuers:
        SubElement(check, "openid-config", {"url": f"{one.issuer.rstrip('/')}/.well-known/openid-configuration"})
    _listed(check, "audiences", "audience", tuple(sorted({text for one in issuers for text in one.audiences})))
    _listed(check, "issuers", "issuer", tuple(one.issuer for one in issuers))
    if len(issuers) == 1 and issuers[0].required:
        claims = SubElement(check, "required-claims")
        for name, value in issuers[0].required.items():
            claim = SubElement(claims, "claim", {"name": name, "match": "all"})
            SubElement(claim, "value").text = _said(value)


def whose(scope: Scope, route: Route, limit: RateLimit) -> Who:
    """Say whose requests the gateway counts together: of a principal only where it has verified who that is.

    What a client merely says, in a header, is another text with each request, and would never be refused.
    """
    found = limit.whose(signed_in=route.access.kind == "principal")
    return "address" if found == "principal" and not verified(scope) else found


def _limit(inbound: Element, limit: RateLimit, route: Route, who: Who) -> None:
    key = {"principal": _SIGNED_IN, "address": _ADDRESS, "everyone": "everyone"}[who]
    calls, seconds = counted(limit)
    said = {"calls": str(calls), "renewal-period": str(seconds), "counter-key": _keyed(key, route)}
    SubElement(inbound, "rate-limit-by-key", said)


def counted(limit: RateLimit) -> tuple[int, int]:
    """Say how many requests in how many seconds a limit is: whole seconds, five minutes at most."""
    seconds = min(_LONGEST_PERIOD, max(1, math.ceil(limit.per)))
    return max(1, math.ceil(limit.requests * seconds / limit.per)), seconds


def _keyed(key: str, route: Route) -> str:
    """Count an operation apart from every other."""
    name = f"{route.service}.{route.endpoint}"
    return f'@("{name}:" + {key[2:-1]})' if key.startswith("@(") else f"{name}:{key}"


def _transformed(inbound: Element, outbound: Element, route: Route) -> None:
    transform = route.edge.transform
    if transform is None:
        return
    for section, asked in ((inbound, transform.request), (outbound, transform.response)):
        for name, value in asked.set.items():
            _header(section, name, "override", value)
        for name, value in asked.add.items():
            _header(section, name, "append", value)
        for name in asked.remove:
            _header(section, name, "delete")
    for name, value in transform.query.set.items():
        parameter = SubElement(inbound, "set-query-parameter", {"name": name, "exists-action": "override"})
        SubElement(parameter, "value").text = _said(value)
    for name in transform.query.remove:
        SubElement(inbound, "set-query-parameter", {"name": name, "exists-action": "delete"})


def _protecting(scope: Scope) -> Iterator[tuple[str, str]]:
    asked = scope.plan.system.gateway.headers
    found = {
        "X-Content-Type-Options": asked.content_type_options,
        "Referrer-Policy": asked.referrer_policy,
        "Content-Security-Policy": asked.content_security_policy,
        "X-Frame-Options": asked.frame_options,
        "Strict-Transport-Security": f"max-age={asked.transport_security}" if asked.transport_security else "",
    }
    yield from ((name, value) for name, value in found.items() if value)


def _document() -> tuple[Element, Element, Element]:
    root = Element("policies")
    made = {name: SubElement(root, name) for name in _SECTIONS}
    for section in made.values():
        SubElement(section, "base")
    return root, made["inbound"], made["outbound"]


def _header(section: Element, name: str, what: str, value: str = "") -> None:
    header = SubElement(section, "set-header", {"name": name, "exists-action": what})
    if what != "delete":
        SubElement(header, "value").text = _said(value)


def _listed(
    parent: Element, outer: str, inner: str, texts: tuple[str, ...], more: dict[str, str] | None = None
) -> None:
    if texts:
        found = SubElement(parent, outer, more or {})
        for text in texts:
            SubElement(found, inner).text = _said(text)


def _said(text: str) -> str:
    """Write text that is no expression: what begins with @( or holds {{ would be one."""
    return f"@({_text_of(text)})" if re.match(r"\s*@[({]", text) or "{{" in text else text


def _text_of(text: str) -> str:
    """Write a text of C#; two opening braces would name a value of the gateway's."""
    return json.dumps(text, ensure_ascii=False).replace("{{", '{" + "{')


def _text(root: Element) -> str:
    """Write a document.

    Expressions stand between single quotes: Azure takes policies in two forms, and reads entities in one of them alone.
    """
    indent(root)
    return _QUOTED.sub(_unquoted, tostring(root, "unicode")) + "\n"


def _unquoted(found: re.Match[str]) -> str:
    value = found[1]
    return f"='{value.replace('&quot;', _QUOTE)}'" if "&quot;" in value and "'" not in value else found[0]
