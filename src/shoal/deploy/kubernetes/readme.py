"""What lies in the folder, what the cluster must have, and the names of all secrets."""

from collections.abc import Iterator

from msgspec import structs

from shoal.deploy.kubernetes import exceptions, jobs, overlays, scaling, secrets
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Sheet, Text

_SLASHES = "; best with `meshConfig.pathNormalization.normalization: DECODE_AND_MERGE_SLASHES`, as a laptop reads paths"

_MESHES = {
    "istio": (
        "Istio 1.24 or newer with its CNI plugin, since pods may do no more than the restricted profile lets them, and "
        "with native sidecars (`ENABLE_NATIVE_SIDECARS=true`), or no Job would end" + _SLASHES
    ),
    "istio-ambient": f"Istio 1.24 or newer in ambient mode{_SLASHES}",
    "linkerd": "Linkerd 2.16 or newer with its CNI plugin, and a gateway that is part of its mesh",
    "none": "no mesh: calls are not encrypted",
}


def make(scope: Scope) -> Iterator[Made]:
    """Make the page."""
    yield Text(path="README.md", text=_page(scope))


def _page(scope: Scope) -> str:
    names = [environment.name for environment in scope.environments]
    needs = "\n".join(f"- {need}" for need in _needs(scope))
    kept = "\n".join(_secrets(scope, environment) for environment in scope.environments)
    kinds = {environment.secrets.store for environment in scope.environments}
    vault = "\nIn Vault each is a secret of its own with the one key `value`." if "vault" in kinds else ""
    return f"""\
# {scope.system} on Kubernetes

Written by `shoal deploy kubernetes`. Nothing here is applied by itself, and no secret is in any file.

| Folder | What |
|---|---|
| `base/` | what is the same everywhere: a folder for each service, the door (`edge`), the mesh, the network |
| `engines/` | servers that run in the cluster |
| `overlays/` | environments: {", ".join(names)}. Patches of yours go into `overlays/NAME/patches/`, and stay |
| `monitoring/`, `cluster/` | what watches it: in each environment, and once in a cluster |
| `images/` | a Dockerfile for each service, and a Compose file to try them together |

## What the cluster must have

{needs}

## Applying it

```sh
kubectl diff -k overlays/{names[0]}
kubectl apply -k overlays/{names[0]}
kubectl -n {scope.namespace(scope.environments[0])} wait --for=condition=Complete jobs --all --timeout=10m
```

Services that start before their store is migrated wait for the same lock, and go on when it is.

{exceptions.section(names[-1])}
## Names of the secrets

Put these into each environment's store before it is applied. Passwords are made of letters,
digits, `-` and `_`, and begin with a letter: they become parts of addresses, and words of configurations.{vault}

{kept}"""


def _needs(scope: Scope) -> Iterator[str]:
    yield "Kubernetes 1.32 or newer, and a network that enforces NetworkPolicies"
    yield _MESHES[scope.mesh]
    yield "Gateway API 1.3 or newer, experimental channel: routes repeat, and answer preflights (CORS)"
    yield "External Secrets Operator 0.17 or newer"
    if any(scaling.by_lag(service) for service in scope.plan.services):
        yield "KEDA 2.16 or newer, in the namespace `keda`"
    if any("postgres" in scope.servers and scope.place(one, "postgres") == "cluster" for one in scope.environments):
        yield "CloudNativePG 1.25 or newer, in the namespace `cnpg-system`"
    if scope.environments[0].release == "canary":
        yield "Argo Rollouts 1.8 or newer, with its plugin for Gateway API"
    if any(one.monitoring for one in scope.environments):
        yield "in the namespace `monitoring`: Prometheus' operator, Tempo, Loki, Grafana (see docs/monitoring.md)"
    yield "the metrics server, which autoscalers ask"
    yield "Reloader, if services are to take rotated secrets by themselves; `kubectl rollout restart` does it by hand"


def _secrets(scope: Scope, environment: Environment) -> str:
    found = sorted(asked(scope, environment))
    return f"### {environment.name}\n\n" + "".join(f"- `{name}`\n" for name in found)


def asked(scope: Scope, environment: Environment) -> set[str]:
    """Collect the names of secrets from what reads them, so that the list is complete."""
    folder, alone = f"overlays/{environment.name}/", structs.replace(scope, environments=(environment,))
    made = [one for part in (secrets.make, jobs.make, overlays.make) for one in part(alone)]
    bodies = [
        thing.body for one in made if isinstance(one, Sheet) and one.path.startswith(folder) for thing in one.things
    ]
    return {
        entry["remoteRef"]["key"]
        for body in bodies
        if body["kind"] == "ExternalSecret"
        for entry in body["spec"]["data"]
    }
