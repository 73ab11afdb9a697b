"""Policies as filters of Envoy: who may (RBAC), and whose tokens are believed (JWT authentication)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from tests.istiod.known import Json, Unknown, typed
from tests.istiod.policies import AuthorizationPolicy, AuthorizationRule, From, JwtRule, Operation, When

_JWT, _PAYLOAD = "envoy.filters.http.jwt_authn", "payload"
_NEVER: Json = {"permissions": [{"not_rule": {"any": True}}], "principals": [{"not_id": {"any": True}}]}
_SPACED = ("permission", "scope")
"""Claims that are lists of words; Istio reads each of the words."""


def rbac(policies: Mapping[str, AuthorizationPolicy]) -> list[Json]:
    """Write the rules of the policies of one workload: what is refused first, then all that is allowed.

    Where no policy allows anything because there is none, everything that is not refused is allowed.
    """
    found = [_decided(action, policies) for action in ("DENY", "ALLOW")]
    return [one for one in found if one is not None]


def _decided(action: str, policies: Mapping[str, AuthorizationPolicy], *, http: bool = True) -> Json | None:
    some = {name: one for name, one in policies.items() if one.action == action}
    if not some:
        return None
    found: Json = {}
    for name, policy in some.items():
        if not policy.rules:
            found[f"{name}[0]"] = _NEVER
        for number, rule in enumerate(policy.rules):
            found[f"{name}[{number}]"] = _rule(rule) if http or not _about_http(rule) else _NEVER
    return {"action": action, "policies": found}


def rbac_of_connections(policies: Mapping[str, AuthorizationPolicy]) -> Json | None:
    """Write what a proxy that reads no HTTP makes of them: a rule about HTTP allows nothing there (ztunnel).

    Raises:
        Unknown: One of them refuses.
    """
    if refusing := [name for name, one in policies.items() if one.action == "DENY"]:
        raise Unknown(f"what {refusing[0]} refuses is not translated for connections")
    return _decided("ALLOW", policies, http=False)


def _about_http(rule: AuthorizationRule) -> bool:
    asked = any(to.operation.methods or to.operation.paths or to.operation.not_paths for to in rule.to)
    return asked or bool(rule.when) or any(one.source.request_principals for one in rule.from_)


def _rule(rule: AuthorizationRule) -> Json:
    whens = [one for when in rule.when for one in _when(when)]
    principals = [_all("and_ids", [*_source(one), *whens]) for one in rule.from_] or [_all("and_ids", whens)]
    permissions = [_all("and_rules", list(_operation(to.operation))) for to in rule.to] or [{"any": True}]
    return {"permissions": permissions, "principals": principals}


def _all(key: str, some: list[Json]) -> Json:
    inner = "ids" if key.endswith("ids") else "rules"
    return {key: {inner: some}} if some else {"any": True}


def _operation(asked: Operation) -> Iterable[Json]:
    if asked.methods:
        yield _any_rule({"header": _header(":method", one)} for one in asked.methods)
    if asked.paths:
        yield _any_rule(map(_path, asked.paths))
    if asked.not_paths:
        yield {"not_rule": _any_rule(map(_path, asked.not_paths))}
    if asked.ports:
        yield _any_rule({"destination_port": int(one)} for one in asked.ports)


def _any_rule(some: Iterable[Json]) -> Json:
    return {"or_rules": {"rules": list(some)}}


def _any_id(some: Iterable[Json]) -> Json:
    return {"or_ids": {"ids": list(some)}}


def _path(path: str) -> Json:
    if "{*}" not in path and "{**}" not in path:
        return {"url_path": {"path": text(path)}}
    template = path.replace("{**}", "**").replace("{*}", "*")
    message = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
    matcher = {"name": "envoy.path.match.uri_template.uri_template_matcher"}
    return {"uri_template": {**matcher, "typed_config": typed(message, path_template=template)}}


def text(value: str, before: str = "") -> Json:
    """Match a text as Istio does: ``*`` alone is anything, at an end anything before or after."""
    if value == "*":
        return {"safe_regex": {"regex": ".+"}}
    if value.startswith("*"):
        return {"suffix": value[1:]} if not before else {"safe_regex": {"regex": f"{before}.*{re.escape(value[1:])}"}}
    if value.endswith("*"):
        return {"prefix": before + value[:-1]}
    return {"exact": before + value}


def _header(name: str, value: str) -> Json:
    return {"name": name, "present_match": True} if value == "*" else {"name": name, "string_match": text(value)}


def _source(asked: From) -> Iterable[Json]:
    source = asked.source
    if source.principals:
        yield _any_id({"authenticated": {"principal_name": text(one, "spiffe://")}} for one in source.principals)
    if source.request_principals:
        yield _any_id(map(_signed_in, source.request_principals))


def _signed_in(principal: str) -> Json:
    issuer, _, subject = principal.rpartition("/")
    parts = (("iss", issuer), ("sub", subject))
    return {"and_ids": {"ids": [{"metadata": _claim((name,), {"string_match": text(one)})} for name, one in parts]}}


def _when(asked: When) -> Iterable[Json]:
    kind, _, rest = asked.key.partition("[")
    path = tuple(rest.removesuffix("]").split("]["))
    readers: dict[str, Callable[[Sequence[str]], Json]] = {
        "request.headers": lambda values: _any_id({"header": _header(path[0], one)} for one in values),
        "request.auth.claims": lambda values: {"metadata": _claim(path, _one_of(values))},
    }
    if kind not in readers:
        raise Unknown(f"a condition about {asked.key} is not translated")
    if asked.values:
        yield readers[kind](asked.values)
    if asked.not_values:
        yield {"not_id": readers[kind](asked.not_values)}


def _one_of(values: Sequence[str]) -> Json:
    """Fit a text, or a list with a text, among the values."""
    some: list[Json] = [{"string_match": text(one)} for one in values]
    each = some[0] if len(some) == 1 else {"or_match": {"value_matchers": some}}
    return {"or_match": {"value_matchers": [{"list_match": {"one_of": each}}, each]}}


def _claim(path: Sequence[str], value: Json) -> Json:
    return {"filter": _JWT, "path": [{"key": one} for one in (_PAYLOAD, *path)], "value": value}


def tokens(rules: Sequence[JwtRule], keys: Mapping[str, str]) -> Json | None:
    """Write the filter that verifies: no token passes, a wrong one does not.

    Args:
        rules: Whose tokens are believed.
        keys: What each address of keys answers, which istiod would fetch.
    """
    if not rules:
        return None
    names = {f"origins-{number}": rule for number, rule in enumerate(rules)}
    each = [{"requires_any": {"requirements": [{"provider_name": name}, {"allow_missing": {}}]}} for name in names]
    several = [*({"provider_name": name} for name in names), {"requires_all": {"requirements": each}}]
    asked = each[0] if len(each) == 1 else {"requires_any": {"requirements": several}}
    return typed(
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={name: _provider(rule, keys[rule.jwks_uri]) for name, rule in names.items()},
        rules=[{"match": {"prefix": "/"}, "requires": asked}],
        bypass_cors_preflight=True,
    )


def _provider(rule: JwtRule, keys: str) -> Json:
    told = [{"header_name": one.header, "claim_name": one.claim} for one in rule.output_claim_to_headers]
    return {
        "issuer": rule.issuer,
        "audiences": list(rule.audiences),
        "forward": rule.forward_original_token,
        "payload_in_metadata": _PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": list(_SPACED)},
        "claim_to_headers": told,
        "local_jwks": {"inline_string": keys},
        "clear_route_cache": True,
    }
