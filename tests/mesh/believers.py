"""A system that believes several issuers and consumers, and what their tokens look like."""

import json
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from shoal.model.issuers import CONSUMERS, Cognito, Consumer, OpenId, key_issuer
from shoal.model.service import Access
from shoal.model.system import Gateway, System
from shoal.service.access import claim, consumer, role, scope, signed_in
from shoal.tokens import Foreign, make_key, nobodys_key
from tests.mesh.samples import ANYONE, INTERNAL, ISSUER, endpoint, service
from tests.mesh.world import World, replace

GOLD = signed_in & claim("tier", "gold", "platinum") & claim("mfa", True)

PROTECTED: Mapping[str, Access] = {
    "/me": signed_in,
    "/admin": role("admin", "root"),
    "/read": scope("read"),
    "/both": role("admin") & scope("read", "write"),
    "/gold": GOLD,
    "/partner": consumer("partner-x"),
}
"""Every way to be protected, by path."""


OUTSIDE = (
    OpenId(name="rsa", issuer="https://rsa.example", audiences=("api", "api-2"), keys="x", roles=("roles",)),
    OpenId(name="ed", issuer="https://ed.example", audiences=("api",), keys="x", algorithms=("EdDSA",), scopes=()),
    OpenId(
        name="kc",
        issuer="https://kc.example",
        audiences=("api",),
        keys="x",
        algorithms=("ES256",),
        roles=("realm_access", "roles"),
        scopes=("scp",),
        subject="oid",
    ),
)

CONSUMERS_OF_IT = (
    Consumer(name="partner-x", scopes=("read",)),
    Consumer(name="partner-y", roles=("admin",), scopes=("read", "write")),
    Consumer(name="partner-z"),
)


def believers(keys_url: str = "") -> System:
    """Declare a system with its own issuer, four outside and consumers; the keys of one come from `keys_url`."""
    accounts = service(
        "accounts",
        *(endpoint(path[1:], "GET", path, access) for path, access in PROTECTED.items()),
        endpoint("show", "GET", "/accounts/{id}", signed_in),
        endpoint("open", "GET", "/open", ANYONE),
        endpoint("hidden", "GET", "/accounts/hidden", INTERNAL),
    )
    web = Cognito("eu-west-1", "eu-west-1_Abc", "client-1")
    if keys_url:
        web = msgspec.structs.replace(web, keys=keys_url, refresh=1)
    gateway = Gateway(issuer=ISSUER, issuers=(*OUTSIDE, web), consumers=CONSUMERS_OF_IT)
    return System(
        name="tiny", services=(accounts, service("auth", endpoint("login", "POST", "/login"))), gateway=gateway
    )


class Signers:
    """Everybody who signs for `believers`."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.foreign = {issuer.name: Foreign(issuer.algorithms[0]) for issuer in system.gateway.issuers}
        self.keys: list[dict[str, Any]] = []

    def key_set(self, issuer: str) -> str:
        """Write the key set of an issuer outside; one does not say what its key is for, as Entra does not."""
        public = {k: v for k, v in self.foreign[issuer].public.items() if issuer != "rsa" or k != "alg"}
        return json.dumps({"keys": [public]})

    def claims(self, issuer: str, **claims: Any) -> dict[str, Any]:
        """Write the claims of a token that is good for signing in."""
        spec = {i.name: i for i in self.system.gateway.issuers}[issuer]
        usual = {"iss": spec.issuer, spec.audience_claim: spec.audiences[0], **spec.required, spec.subject: "42"}
        full = {**usual, "exp": int(time.time()) + 600, **claims}
        return {name: value for name, value in full.items() if value is not None}

    def token(self, issuer: str, **claims: Any) -> str:
        return self.foreign[issuer].sign(self.claims(issuer, **claims))

    def key(self, name: str, *, lifetime: int = 600) -> str:
        """Make a key; `consumer_keys` verifies it from then on."""
        key, public = make_key(name, key_issuer(self.system.name), expires=int(time.time()) + lifetime)
        self.keys.append(public)
        return key

    @property
    def consumer_keys(self) -> str:
        return json.dumps({"keys": self.keys or [nobodys_key()]})


def lay_out(world: World, signers: Signers) -> None:
    """Write the key sets that Envoy reads when it starts."""
    for issuer in world.system.gateway.issuers:
        if not issuer.remote:
            replace(world.layout.jwks(issuer.name), signers.key_set(issuer.name))
    replace(world.layout.jwks(CONSUMERS), signers.consumer_keys)
