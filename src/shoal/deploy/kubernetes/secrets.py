"""Secrets of an environment: where they are kept, and what each service gets of them. No value is in any file."""

from collections.abc import Iterator

from shoal.deploy.kubernetes import configuration
from shoal.deploy.kubernetes.engines.table import ENGINES
from shoal.deploy.kubernetes.kinds.externalsecret import external
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment, Secrets
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing
from shoal.deploy.yaml import Json
from shoal.model.plan import ServicePlan


def make(scope: Scope) -> Iterator[Made]:
    """Make the store of each environment, and what is read from it."""
    for environment in scope.environments:
        folder = f"overlays/{environment.name}"
        store = Thing(
            body=_store(scope, environment),
            why="Who may read it is a matter of the account, not of a key in the cluster.",
        )
        yield Sheet(path=f"{folder}/secretstore.yaml", things=(store, Thing(body=_reader(scope))))
        yield Sheet(path=f"{folder}/secrets.yaml", things=tuple(_secrets(scope, environment)))


def _secrets(scope: Scope, environment: Environment) -> Iterator[Thing]:
    for service in scope.plan.services:
        yield from _service(scope, environment, service)
    if "postgres" in environment.authorities and "postgres" in scope.servers:
        name = configuration.POSTGRES_CA
        yield Thing(
            body=external(scope, environment, name, {configuration.AUTHORITY: name}),
            why="By it services believe the databases that others run.",
        )
    if names := configuration.key_files(scope):
        kept = {name: name.removesuffix(".json") for name in names}
        yield Thing(
            body=external(scope, environment, f"{scope.system}-keys", kept),
            why="Key sets that verify tokens; nothing in them is secret.",
        )


def _service(scope: Scope, environment: Environment, service: ServicePlan) -> Iterator[Thing]:
    """Write the variables of a service: whole addresses, and those that are made of a password."""
    source, given, written = scope.declared(service).source, dict[str, str](), dict[str, str]()
    for variable, kept in configuration.required(scope, service).items():
        given[variable] = f"{service.name}-{kept}"
    for setting in scope.declared(service).settings:
        if setting.secret and setting.variable in environment.secrets.optional:
            given[setting.variable] = f"{service.name}-{setting.name}"
    for role, server in scope.uses(service).items():
        if scope.place(environment, server) == "cluster":
            variable = f"SHOAL_{role.upper()}_URL"
            written[variable] = ENGINES[server].url(scope, service, role)
            given.pop(variable)
            if f".{server}_password" in written[variable]:
                given[f"{server}_password"] = f"{service.name}-{server}-password"
    if given:
        whole = {variable: f"{{{{ .{variable} }}}}" for variable in given if variable not in _passwords(given)}
        template: Json | None = {"data": {**whole, **written}} if written else None
        yield Thing(body=external(scope, environment, service.name, given, template=template), source=source)
    if service.issues_tokens:
        private = {configuration.SIGNING_KEY: "signing-key"}
        name = f"{service.name}-signing-key"
        yield Thing(
            body=external(scope, environment, name, private),
            source=source,
            why="Signs every token: only this service has it.",
        )


def _passwords(given: dict[str, str]) -> list[str]:
    return [name for name in given if name.endswith("_password") and name.islower()]


def _reader(scope: Scope) -> Json:
    """Make the account by which External Secrets reads; the cloud's binding of it is an annotation of yours."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "secrets-reader", "labels": labels(scope.system, "secrets-reader", "system")},
        "automountServiceAccountToken": False,
    }


def _store(scope: Scope, environment: Environment) -> Json:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "SecretStore",
        "metadata": {"name": scope.system, "labels": labels(scope.system, scope.system, "system")},
        "spec": {"provider": _provider(environment.secrets, scope)},
    }


def _provider(said: Secrets, scope: Scope) -> Json:
    reader: Json = {"name": "secrets-reader"}
    match said.store:
        case "aws":
            auth: Json = {"jwt": {"serviceAccountRef": reader}}
            return {"aws": {"service": "SecretsManager", "region": said.region or "eu-central-1", "auth": auth}}
        case "azure":
            url = said.url or f"https://{scope.system}.vault.azure.net"
            return {"azurekv": {"authType": "WorkloadIdentity", "vaultUrl": url, "serviceAccountRef": reader}}
        case "google":
            found: Json = {"workloadIdentity": {"serviceAccountRef": reader}}
            return {"gcpsm": {"projectID": said.project or scope.system, "auth": found}}
        case _:
            role: Json = {"mountPath": "kubernetes", "role": scope.system, "serviceAccountRef": reader}
            url = said.url or "https://vault.vault.svc:8200"
            return {"vault": {"server": url, "path": "secret", "version": "v2", "auth": {"kubernetes": role}}}
