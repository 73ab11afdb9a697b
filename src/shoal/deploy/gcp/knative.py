"""A service as Cloud Run's own YAML (Knative's serving.knative.dev/v1 with Google's annotations). Pure.

What Terraform would look up is spelled out: names in a project follow from its id; its number stands in as
PROJECT_NUMBER where the environment does not say it.
"""

import json
from collections.abc import Mapping
from typing import Any

from shoal.deploy import yaml
from shoal.deploy.cloud.values import Join, Ref, Value
from shoal.deploy.gcp.addresses import email
from shoal.deploy.gcp.hcl.compute import COLLECTED, COLLECTOR
from shoal.deploy.gcp.naming import secret
from shoal.deploy.gcp.resources import Workload
from shoal.deploy.gcp.scope import Scope
from shoal.deploy.gcp.workloads import image, inside
from shoal.deploy.yaml import Json

ENTRIES = {"everybody": "all", "balancer": "internal-and-cloud-load-balancing", "inside": "internal"}

_HEAD = "Written by `shoal deploy gcp`; changes are lost. gcloud run services replace FILE"


def document(one: Workload, scope: Scope) -> str:
    """Write a service."""
    service: Json = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": one.name,
            "labels": {"system": scope.system, "environment": scope.environment.name},
            "annotations": _annotations(one, scope),
        },
        "spec": {"template": _template(one, scope)},
    }
    return yaml.document(service, head=(_HEAD, one.why))


def _annotations(one: Workload, scope: Scope) -> Json:
    found: Json = {"run.googleapis.com/ingress": ENTRIES[one.entry]}
    if one.open:
        found["run.googleapis.com/invoker-iam-disabled"] = "true"
    names = [f"https://{one.name}-{scope.number}.{scope.environment.region}.run.app"]
    names += [inside(one.name, scope)] if scope.environment.inside else []
    found["run.googleapis.com/custom-audiences"] = json.dumps(names)
    return found


def _template(one: Workload, scope: Scope) -> Json:
    network = f'[{{"network":"{scope.system}","subnetwork":"{scope.system}","tags":["{one.name}"]}}]'
    annotations: Json = {
        "autoscaling.knative.dev/minScale": str(one.least),
        "autoscaling.knative.dev/maxScale": str(one.most),
        "run.googleapis.com/execution-environment": "gen2",
        "run.googleapis.com/cpu-throttling": "false" if one.always else "true",
        "run.googleapis.com/startup-cpu-boost": "true",
        "run.googleapis.com/network-interfaces": network,
        "run.googleapis.com/vpc-access-egress": "all-traffic",
    }
    if one.collector:
        annotations["run.googleapis.com/container-dependencies"] = f'{{"{one.name}":["collector"]}}'
    spec: Json = {
        "serviceAccountName": email(scope, scope.plan.service(one.service)),
        "containerConcurrency": one.together,
        "timeoutSeconds": one.seconds,
        "containers": [_container(one, scope), *([_collector(one)] if one.collector else [])],
    }
    if one.files:
        spec["volumes"] = [_volume(path, ref) for path, ref in one.files.items()]
    return {"metadata": {"annotations": annotations}, "spec": spec}


def _container(one: Workload, scope: Scope) -> Json:
    told: list[Json] = [{"name": name, "value": _said(value, scope)} for name, value in one.environment.items()]
    kept: list[Json] = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": _named(ref), "key": "latest"}}}
        for name, ref in one.secrets.items()
    ]
    found: Json = {
        "name": one.name,
        "image": image(scope, one.name, one.version),
        "command": ["python", "-m", "shoal.runtime"],
        "ports": [{"containerPort": one.port}],
        "resources": {"limits": {"cpu": str(one.processors), "memory": f"{one.memory}Mi"}},
        "startupProbe": _probe(one.port, 24, 10),
        "livenessProbe": _probe(one.port, 3, 15),
        "env": [*told, *kept],
    }
    if one.files:
        found["volumeMounts"] = [
            {"name": _volume_name(path), "mountPath": path.rpartition("/")[0]} for path in one.files
        ]
    return found


def _collector(one: Workload) -> Json:
    return {
        "name": "collector",
        "image": f"{COLLECTOR}:{one.collector}",
        "args": ["--config=env:COLLECTOR"],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
        "startupProbe": {"httpGet": {"path": "/", "port": 13133}, "periodSeconds": 5, "failureThreshold": 12},
        "env": [{"name": "COLLECTOR", "value": COLLECTED}],
    }


def _probe(port: int, failures: int, period: int) -> Json:
    return {
        "httpGet": {"path": "/health", "port": port}, "timeoutSeconds": 5, "failureThreshold": failures,
        "periodSeconds": period,
    }  # fmt: skip


def _volume(path: str, ref: Ref) -> Json:
    item = {"key": "latest", "path": path.rpartition("/")[2], "mode": 0o444}
    return {"name": _volume_name(path), "secret": {"secretName": _named(ref), "items": [item]}}


def _volume_name(path: str) -> str:
    return path.rpartition("/")[2].replace(".", "-")


def _named(ref: Ref) -> str:
    service, _, name = ref.name.partition("/")
    return secret(service, name)


def _said(value: Value, scope: Scope) -> str:
    """Spell a value; of what is not known before, a plain variable names the project's number alone."""
    known: Mapping[Any, str] = {("project", "number"): scope.number}
    if isinstance(value, Ref):
        return known[value.kind, value.attribute]
    if isinstance(value, Join):
        return "".join(_said(part, scope) for part in value.parts)
    return value
