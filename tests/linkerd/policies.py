"""Server, HTTPRoute, AuthorizationPolicy and what it requires: the fields that are translated."""

from typing import Literal

from tests.istiod.known import Known
from tests.istiod.policies import Selector
from tests.istiod.routing import Match


class Server(Known, frozen=True, kw_only=True):
    """A port of pods. With routes, what fits none of them gets 404; nobody is let in without a policy."""

    pod_selector: Selector
    port: str
    proxy_protocol: Literal["HTTP/1"]
    access_policy: Literal["deny"]


class Parent(Known, frozen=True, kw_only=True):
    """``parentRefs[]``, ``targetRef``, ``requiredAuthenticationRefs[]``: another object of Linkerd's."""

    group: Literal["policy.linkerd.io"]
    kind: str
    name: str


class Rule(Known, frozen=True, kw_only=True):
    """``rules[]``."""

    matches: tuple[Match, ...]


class Route(Known, frozen=True, kw_only=True):
    """An HTTPRoute of a Server.

    Of all matches the longest counts, and every one that fits a whole path is as long as the path is. Of equals the
    route counts that was created first, then by its name: which that is nobody knows, so any order must do.
    """

    parent_refs: tuple[Parent, ...]
    rules: tuple[Rule, ...]


class AuthorizationPolicy(Known, frozen=True, kw_only=True):
    """Who may ask for what a route fits: those whom all that is required knows."""

    target_ref: Parent
    required_authentication_refs: tuple[Parent, ...]


class Account(Known, frozen=True, kw_only=True):
    """``identityRefs[]``: a service account of the namespace."""

    kind: Literal["ServiceAccount"]
    name: str


class MeshTLSAuthentication(Known, frozen=True, kw_only=True):
    """Callers by their certificates."""

    identity_refs: tuple[Account, ...]


class Network(Known, frozen=True, kw_only=True):
    """``networks[]``."""

    cidr: Literal["0.0.0.0/0", "::/0"]


class NetworkAuthentication(Known, frozen=True, kw_only=True):
    """Callers by their addresses, with or without certificates: here all of them."""

    networks: tuple[Network, ...]
