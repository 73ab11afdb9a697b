"""A chart for one environment: templates that are plain objects, with values where installations differ.

Servers that run in the cluster are not in it: they have operators and charts of their own.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

from shoal.deploy import yaml
from shoal.deploy.helm.values import key, templated, values, written
from shoal.deploy.kubernetes.monitoring.wiring import TELEMETRY
from shoal.deploy.kubernetes.naming import COMPONENT, labels
from shoal.deploy.kubernetes.parts import PARTS
from shoal.deploy.kubernetes.release.canary import released
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Text
from shoal.deploy.yaml import Json, plain
from shoal.model.artifact import Artifact

_HEAD = "Written by `shoal deploy helm`; changes are lost."


def compile_helm(scope: Scope) -> tuple[Artifact, ...]:
    """Write the chart of the first environment, sorted by path."""
    environment = scope.environments[0]
    made = released(scope, [one for part in PARTS for one in part.make(scope)])
    chart = {
        "apiVersion": "v2",
        "name": scope.system,
        "description": f"The system {scope.system}, as it is for {environment.name}.",
        "type": "application",
        "version": environment.version,
        "appVersion": environment.version,
        "kubeVersion": ">=1.32.0-0",
    }
    found = values(scope, environment)
    texts = {
        "Chart.yaml": yaml.document(chart, head=(_HEAD,)),
        "values.yaml": yaml.document(found, head=(_HEAD, "Give yours with --values, or --set services.NAME.tag=TAG.")),
        "values.schema.json": f"{json.dumps(_schema(scope), indent=2)}\n",
        "templates/NOTES.txt": _notes(scope, environment),
    }
    for name, bodies in _grouped(scope, environment, made).items():
        documents = [written(scope, environment, yaml.document(templated(scope, body))) for body in bodies]
        texts[f"templates/{name}.yaml"] = "---\n".join(documents)
    return tuple(Artifact(path=path, text=text) for path, text in sorted(texts.items()))


def objects(scope: Scope, environment: Environment, made: Sequence[Made]) -> Iterator[tuple[str, Json]]:
    """Yield the objects of an environment, each with the name of its template; servers and patches are left out."""
    patches = {f"{m.folder}/{_path(m.value)}" for m in made if isinstance(m, Entry) and m.field == "patches"}
    for sheet in (one for one in made if isinstance(one, Sheet)):
        top, _, rest = sheet.path.partition("/")
        if top not in ("base", "overlays", "monitoring") or sheet.path in patches:
            continue
        parts = rest.removesuffix(".yaml").split("/")
        if top == "overlays" and (parts[0] != environment.name or parts[1] in scope.servers):
            continue
        name = parts[0] if top == "base" else "monitoring" if top == "monitoring" else parts[1]
        for body in (plain(thing.body) for thing in sheet.things):
            if body["kind"] != "Namespace" and body["metadata"].get("labels", {}).get(COMPONENT) != "engine":
                yield name, body
    yield from _configured(scope, environment, made)


def _grouped(scope: Scope, environment: Environment, made: Sequence[Made]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    settings = {body["metadata"]["name"]: body for _, body in _configured(scope, environment, made)}
    for name, body in objects(scope, environment, made):
        config = settings.get(f"{body['metadata']['name']}-settings")
        if body["kind"] == "Deployment" and config is not None:
            told = [config["data"], settings.get(TELEMETRY, {}).get("data")]
            digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
            marks = body["spec"]["template"]["metadata"].setdefault("annotations", {})
            marks["shoal.dev/settings"] = digest[:16]  # other settings are other pods
        if body["kind"] == "Job":
            hook = {"helm.sh/hook": "post-install,post-upgrade", "helm.sh/hook-delete-policy": "before-hook-creation"}
            body["metadata"].setdefault("annotations", {}).update(hook)
        found.setdefault(name, []).append(body)
    return found


def _configured(scope: Scope, environment: Environment, made: Sequence[Made]) -> Iterator[tuple[str, Json]]:
    """Make the ConfigMaps that Kustomize would generate, without the hash in their names."""
    files = {one.path: one.text for one in made if isinstance(one, Text)}
    data: dict[str, dict[str, str]] = {}
    owners: dict[str, str] = {}
    for one in made:
        wanted = isinstance(one, Entry) and one.field == "configMapGenerator"
        if not isinstance(one, Entry) or not wanted or not isinstance(one.value, dict):
            continue
        if one.folder.partition("/")[0] not in ("base", "monitoring") and one.folder != f"overlays/{environment.name}":
            continue
        own = data.setdefault(one.value["name"], {})
        owners.setdefault(one.value["name"], one.folder.rpartition("/")[2])
        own |= {name: files[f"{one.folder}/{name}"] for name in one.value.get("files", ())}
        lines = [line for name in one.value.get("envs", ()) for line in files[f"{one.folder}/{name}"].splitlines()]
        own |= dict(line.split("=", 1) for line in (*lines, *one.value.get("literals", ())))
    for name, found in data.items():
        about = {"name": name, "labels": labels(scope.system, name.removesuffix("-settings"))}
        yield owners[name], {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": found}


def _path(value: object) -> str:
    return str(value.get("path", "")) if isinstance(value, dict) else ""


def _schema(scope: Scope) -> Json:
    """Say which values there are, so that Helm refuses one that is misspelled."""
    text = {"type": "string", "minLength": 1}
    number = {"type": "integer", "minimum": 1, "maximum": 1000}
    quantity = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?$"}
    size = {"tag": text, "least": number, "most": number, "cpu": quantity, "memory": quantity}
    one = {"type": "object", "properties": size, "required": list(size), "additionalProperties": False}
    names = [key(service.name) for service in scope.plan.services]
    services = {
        "type": "object",
        "properties": dict.fromkeys(names, one),
        "required": names,
        "additionalProperties": False,
    }
    properties = {"registry": text, "host": text, "services": services, "global": {"type": "object"}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": properties,
        "required": ["registry", "host", "services"],
        "additionalProperties": False,
    }


def _notes(scope: Scope, environment: Environment) -> str:
    servers = ", ".join(scope.servers) or "none"
    return f"""\
{scope.system} is in the namespace {{{{ .Release.Namespace }}}}, and answers at https://{{{{ .Values.host }}}}.

The servers that it asks are not in this chart: {servers}. Their addresses are secrets.
The namespace must be labelled for the mesh ({environment.mesh}) before pods are made in it.
"""
