"""What a service is told: settings in a ConfigMap with a hashed name, secrets out of the environment's store."""

from collections.abc import Iterator

import msgspec

from shoal.deploy.kubernetes.kinds.pod import Held
from shoal.deploy.kubernetes.monitoring import wiring
from shoal.deploy.kubernetes.naming import PORT
from shoal.deploy.kubernetes.scope import Scope, drain
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Entry, Made, Text
from shoal.deploy.kubernetes.timing import alone
from shoal.deploy.yaml import Json
from shoal.model.finding import Finding
from shoal.model.issuers import OpenId
from shoal.model.plan import ServicePlan

KEYS = "/etc/shoal/keys"
"""Where the key sets lie that verify tokens."""

SIGNING = "/etc/shoal/signing"
"""Where the private key lies, with the one service that signs."""

AUTHORITIES = "/etc/shoal/authorities"
"""Where the certificate of the authority of PostgreSQL lies."""

JWKS, KEY_SET, SIGNING_KEY = "jwks.json", "key-set.json", "signing-key.json"

POSTGRES_CA, AUTHORITY = "postgres-ca", "ca.crt"
"""Secret that CloudNativePG makes, or External Secrets; only the certificate in it is read."""

_IN_SECRETS = {
    role: f"SHOAL_{role.upper()}_URL" for role in ("store", "broker", "cache", "search", "objects", "warehouse")
}
"""Variables whose addresses hold passwords, by what the server is to the service."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the ConfigMaps: the same in every environment, and what each adds."""
    for service in scope.plan.services:
        yield Text(path=f"base/{service.name}/settings.env", text=_lines(settings(scope, service)))
        generator: Json = {"name": f"{service.name}-settings", "envs": ["settings.env"]}
        yield Entry(folder=f"base/{service.name}", field="configMapGenerator", value=generator)
    for environment in scope.environments:
        folder = f"overlays/{environment.name}"
        if told := wiring.variables(environment):
            value: Json = {"name": wiring.TELEMETRY, "literals": _literals(told)}
            yield Entry(folder=folder, field="configMapGenerator", value=value)
        for service in scope.plan.services:
            if own := _own(scope, environment, service):
                value = {"name": f"{service.name}-settings", "behavior": "merge", "literals": _literals(own)}
                yield Entry(folder=folder, field="configMapGenerator", value=value)


def settings(scope: Scope, service: ServicePlan) -> dict[str, str]:
    """List what a service is told that is no secret and the same everywhere."""
    gateway, found = scope.plan.system.gateway, dict[str, str]()
    found["SHOAL_SYSTEM"] = scope.system
    found["SHOAL_ENTRY"] = service.entry
    found["SHOAL_LISTEN"] = f"tcp:0.0.0.0:{PORT}"
    if scope.mesh == "none":
        found["SHOAL_VOUCHED"] = "false"
    if service.calls:
        found["SHOAL_MESH"] = f"http://{{service}}:{PORT}"
    found["SHOAL_DRAIN"] = str(drain(scope.declared(service)))
    if apart := sorted(one.name for one in alone(scope.declared(service))):
        found["SHOAL_APART"] = ",".join(apart)
    if gateway.issuer is not None:
        found["SHOAL_JWKS"] = f"{KEYS}/{JWKS}"
        found["SHOAL_ISSUER"] = gateway.issuer.name
        found["SHOAL_AUDIENCE"] = gateway.issuer.audience
    if service.issues_tokens:
        found["SHOAL_SIGNING_KEY"] = f"{SIGNING}/{SIGNING_KEY}"
    if gateway.issuers:
        found["SHOAL_ISSUERS"] = msgspec.json.encode([_placed(issuer) for issuer in gateway.issuers]).decode()
    if gateway.consumers:
        found["SHOAL_CONSUMERS"] = msgspec.json.encode(gateway.consumers).decode()
        found["SHOAL_KEY_SET"] = f"{KEYS}/{KEY_SET}"
    return found


def sources(scope: Scope, service: ServicePlan) -> list[Json]:
    """Name what the variables of a service come from."""
    found: list[Json] = [{"configMapRef": {"name": f"{service.name}-settings"}}]
    if wiring.watched(scope):
        everywhere = all(environment.monitoring for environment in scope.environments)
        found.append({"configMapRef": {"name": wiring.TELEMETRY, **({} if everywhere else {"optional": True})}})
    if required(scope, service):
        found.append({"secretRef": {"name": service.name}})
    elif any(setting.secret for setting in scope.declared(service).settings):
        found.append({"secretRef": {"name": service.name, "optional": True}})
    return found


def required(scope: Scope, service: ServicePlan) -> dict[str, str]:
    """List the secret variables that a service cannot start without, and what each is called where it is kept."""
    declared = scope.declared(service)
    found = {_IN_SECRETS[role]: f"{role}-url" for role in scope.uses(service)}
    if declared.personal:
        found["SHOAL_KEY_RING"] = "key-ring"
    return found | {s.variable: s.name for s in declared.settings if s.secret and s.required}


def files(scope: Scope, service: ServicePlan) -> list[Held]:
    """List the secrets that a service gets as files."""
    gateway, found = scope.plan.system.gateway, list[Held]()
    if key_files(scope):
        found.append(Held(volume="keys", secret=f"{scope.system}-keys", folder=KEYS))
    if service.issues_tokens and gateway.issuer is not None:
        found.append(Held(volume="signing", secret=f"{service.name}-signing-key", folder=SIGNING))
    there = {certified(scope, environment) for environment in scope.environments}
    if "postgres" in scope.uses(service).values() and True in there:
        found.append(
            Held(
                volume="authorities",
                secret=POSTGRES_CA,
                folder=AUTHORITIES,
                keys=(AUTHORITY,),
                optional=False in there,
            )
        )
    return found


def certified(scope: Scope, environment: Environment) -> bool:
    """Tell whether there is a file by which services believe their PostgreSQL."""
    return scope.place(environment, "postgres") == "cluster" or "postgres" in environment.authorities


def key_files(scope: Scope) -> tuple[str, ...]:
    """Name the files that verify tokens and keys."""
    gateway = scope.plan.system.gateway
    own = (JWKS,) if gateway.issuer is not None else ()
    outside = tuple(f"{issuer.name}.json" for issuer in gateway.issuers if not issuer.remote)
    return (*own, *((KEY_SET,) if gateway.consumers else ()), *outside)


def findings(scope: Scope) -> Iterator[Finding]:
    """Say which settings an environment lacks."""
    for environment in scope.environments:
        for service in scope.plan.services:
            for name in _wanted(scope, service):
                if name not in environment.settings:
                    yield Finding(
                        code="DEPLOY-SETTING-01",
                        severity="warning",
                        where=scope.declared(service).source,
                        message=f"{service.name} lacks {name} in {environment.name}, and would not start",
                        help=f'write it into the environment\'s file: [settings] {name} = "..."',
                    )
        known = {name for service in scope.plan.services for name in _possible(scope, service)}
        for name in sorted(set(environment.settings) - known):
            yield Finding(
                code="DEPLOY-SETTING-02",
                severity="error",
                message=f"{environment.name} sets {name}, which no service reads, or which is a secret",
                help=f"settings are: {', '.join(sorted(known)) or 'none'}",
            )


def _own(scope: Scope, environment: Environment, service: ServicePlan) -> dict[str, str]:
    possible = _possible(scope, service)
    return {name: environment.settings[name] for name in possible if name in environment.settings}


def _wanted(scope: Scope, service: ServicePlan) -> list[str]:
    """List the variables that must be said for each environment."""
    required = {s.variable for s in scope.declared(service).settings if s.required and not s.secret}
    return sorted(required | set(service.externals.values()))


def _possible(scope: Scope, service: ServicePlan) -> list[str]:
    declared = {s.variable for s in scope.declared(service).settings if not s.secret}
    return sorted(declared | set(service.externals.values()))


def _placed(issuer: OpenId) -> OpenId:
    return issuer if issuer.remote else msgspec.structs.replace(issuer, keys=f"{KEYS}/{issuer.name}.json")


def _literals(values: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
