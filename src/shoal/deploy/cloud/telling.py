"""What a service is told that is no secret and the same on every cloud, and which files it reads. Pure."""

from collections.abc import Callable, Mapping

import msgspec

from shoal.deploy.cloud.system import PORT, Planned
from shoal.deploy.cloud.values import Value
from shoal.deploy.kubernetes.scope import drain
from shoal.model.issuers import OpenId
from shoal.model.plan import ServicePlan

Place = Callable[[str], str]
"""File → where it lies in the container."""

JWKS, KEY_SET, SIGNING = "jwks.json", "key-set.json", "signing-key.json"


def inside(folder: str) -> Place:
    """Say that files lie in a folder, under their own names."""
    return lambda file: f"{folder}/{file}"


def told(
    planned: Planned, service: ServicePlan, *, version: str, mesh: str, place: Place, issuers: Value | None
) -> dict[str, Value]:
    """List variables.

    Args:
        planned: The system.
        service: Who is told.
        version: Of its image.
        mesh: Address of other services, with ``{service}`` in it.
        place: Says where a file lies.
        issuers: Issuers outside, as JSON; None where there is none.
    """
    gateway, found = planned.plan.system.gateway, dict[str, Value]()
    found["SHOAL_SYSTEM"] = planned.system
    found["SHOAL_ENTRY"] = service.entry
    found["SHOAL_VERSION"] = version
    found["SHOAL_LISTEN"] = f"tcp:0.0.0.0:{PORT}"
    found["SHOAL_VOUCHED"] = "false"
    if service.calls:
        found["SHOAL_MESH"] = mesh
    found["SHOAL_DRAIN"] = str(drain(planned.declared(service)))
    if gateway.issuer is not None:
        found["SHOAL_JWKS"] = place(JWKS)
        found["SHOAL_ISSUER"] = gateway.issuer.name
        found["SHOAL_AUDIENCE"] = gateway.issuer.audience
    if service.issues_tokens:
        found["SHOAL_SIGNING_KEY"] = place(SIGNING)
    if issuers is not None:
        found["SHOAL_ISSUERS"] = issuers
    if gateway.consumers:
        found["SHOAL_CONSUMERS"] = msgspec.json.encode(gateway.consumers).decode()
        found["SHOAL_KEY_SET"] = place(KEY_SET)
    return found


def wanted(planned: Planned, service: ServicePlan, said: Mapping[str, str]) -> dict[str, Value]:
    """List the settings and addresses of a service that an environment says."""
    names = {s.variable for s in planned.declared(service).settings if not s.secret} | set(service.externals.values())
    return {name: text for name, text in sorted(said.items()) if name in names}


def placed(issuers: tuple[OpenId, ...], place: Place) -> list[OpenId]:
    """Say of each issuer outside where its keys lie; those of a URL are fetched from there."""
    return [
        issuer if issuer.remote else msgspec.structs.replace(issuer, keys=place(f"{issuer.name}.json"))
        for issuer in issuers
    ]


def key_files(planned: Planned) -> list[str]:
    """Name the files that verify tokens and keys, the same for everybody."""
    gateway = planned.plan.system.gateway
    own = [JWKS] if gateway.issuer is not None else []
    keys = [KEY_SET] if gateway.consumers else []
    return [*own, *keys, *(f"{issuer.name}.json" for issuer in gateway.issuers if not issuer.remote)]
