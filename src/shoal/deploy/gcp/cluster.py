"""What a cluster of GKE and the manifests of `shoal deploy kubernetes` have to agree about: settings, and secrets.

The manifests say which secrets they read, and these are made: addresses of engines with their text, the others to be
filled in.
"""

import json
from collections.abc import Iterator, Mapping

from shoal.deploy.cloud.files import secret as stem
from shoal.deploy.cloud.telling import key_files
from shoal.deploy.cloud.values import Ref, Value, join
from shoal.deploy.gcp import addresses
from shoal.deploy.gcp.resources import Password, Resource, Secret
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.kubernetes import configuration, readme
from shoal.deploy.kubernetes.naming import secret as named
from shoal.deploy.kubernetes.scope import Scope as Manifests
from shoal.deploy.kubernetes.settings import Environment, Secrets
from shoal.deploy.kubernetes.target import target
from shoal.model.choice import chosen
from shoal.model.plan import plan

_HEAD = "# Written by `shoal deploy gcp`; changes are lost. shoal deploy kubernetes --out DIR --target FILE"
AUTHORITY = f"{configuration.AUTHORITIES}/{configuration.AUTHORITY}"
"""Where manifests put the certificates of the authorities of all databases: each instance of Cloud SQL has its own."""

_PASSWORD = "-password"  # noqa: S105 - how names of passwords end


def make(scope: Scope) -> Iterator[Resource]:
    """Make the secrets that manifests read, and passwords of what runs in the cluster."""
    if not scope.run:
        for one in secrets(scope):
            if one.secret.endswith(_PASSWORD):
                yield Password(name=one.secret)
            yield one


def environment(scope: Scope) -> Environment:
    """Say the same environment in the words of Kubernetes."""
    said = scope.environment
    managed = {"postgres": "managed"} if scope.users("postgres") else {}
    engines = said.cidr.split(".")
    return Environment(
        name=said.name,
        namespace=scope.namespace,
        choose=chosen(scope.plan.target),
        engines=managed,  # type: ignore[arg-type]  # a place
        authorities=("postgres",) if managed else (),
        reach={"postgres": (f"{engines[0]}.{engines[1]}.64.0/18",)} if managed else {},
        hosts=said.hosts,
        registry=f"{said.region}-docker.pkg.dev/{scope.project}/{scope.system}",
        version=said.version,
        least=max(1, said.least),
        most=said.most,
        secrets=Secrets(store="google", project=scope.project, optional=said.optional),
        settings=dict(said.settings),
    )


def document(scope: Scope) -> str:
    """Write these settings as TOML."""
    said, lines, tables = environment(scope), [_HEAD], list[str]()
    plain = Environment(name=said.name)
    for name in said.__struct_fields__:
        value = getattr(said, name)
        if name != "name" and value == getattr(plain, name):
            continue
        if isinstance(value, Secrets):
            tables += ["", "[secrets]", *_said(value.__struct_fields__, value, Secrets())]
        elif isinstance(value, Mapping):
            tables += ["", f"[{name}]", *(f"{json.dumps(key)} = {_text(one)}" for key, one in value.items())]
        else:
            lines.append(f"{name} = {_text(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def _said(names: tuple[str, ...], value: Secrets, plain: Secrets) -> list[str]:
    return [f"{name} = {_text(getattr(value, name))}" for name in names if getattr(value, name) != getattr(plain, name)]


def _text(value: object) -> str:
    """Write a value; a text of JSON is one of TOML."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def secrets(scope: Scope) -> tuple[Secret, ...]:
    """List the secrets that manifests read, with their text where it is known."""
    texts, purposes = dict(_texts(scope)), dict(_purposes(scope))
    return tuple(
        Secret(
            name=name,
            secret=name,
            text=texts.get(name, _password(name)),
            purpose=purposes.get(name, "Manifests read it."),
            regions=scope.regions,
        )
        for name in _asked(scope)
    )


def _purposes(scope: Scope) -> Iterator[tuple[str, str]]:
    """Say what those are that somebody fills in."""
    for file in key_files(scope):
        yield named(scope.system, stem(file)), f"The file {file}. Verifies tokens; not secret."
    yield named(scope.system, "signing-key"), "Signs tokens."
    yield named(scope.system, configuration.POSTGRES_CA), "Certificates by which services believe their databases."
    for service in scope.plan.services:
        for role, server in scope.uses(service).items():
            why = f"{addresses.variable(role)}: {addresses.filled(scope, service, server)}"
            yield named(scope.system, service.name, f"{role}-url"), why
        for setting in scope.declared(service).settings:
            yield named(scope.system, service.name, setting.name), f"{setting.variable} of {service.name}."


def _asked(scope: Scope) -> tuple[str, ...]:
    said = environment(scope)
    system = scope.plan.system
    manifests = Manifests(plan=plan(system, target(system, said)), environments=(said,))
    return tuple(sorted(readme.asked(manifests, said)))


def _password(name: str) -> Value | None:
    """Let a password begin with a letter, as manifests want it."""
    return join("p", Ref("password", name, "result")) if name.endswith(_PASSWORD) else None


def _texts(scope: Scope) -> Iterator[tuple[str, Value]]:
    for service in scope.plan.services:
        plain = addresses.plain(scope, service)
        if "SHOAL_KEY_RING" in plain:
            yield named(scope.system, service.name, "key-ring"), plain["SHOAL_KEY_RING"]
        for role, server in scope.uses(service).items():
            name, variable = named(scope.system, service.name, f"{role}-url"), addresses.variable(role)
            if variable in plain:
                yield name, plain[variable]
            elif server == "postgres":
                yield name, addresses.database(scope, service, role, AUTHORITY)
    yield named(scope.system, "broker-operator-url"), f"pubsub:///{scope.project}"
    own = [Ref("postgres", user.name, "authority") for user in scope.users("postgres")]
    yield named(scope.system, configuration.POSTGRES_CA), join(*(part for one in own for part in (one, "\n")))
