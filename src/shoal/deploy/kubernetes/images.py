"""Images: a Dockerfile for each service, and a Compose file to try them together."""

from collections.abc import Iterator

from shoal.deploy import yaml
from shoal.deploy.kubernetes import configuration
from shoal.deploy.kubernetes.naming import PORT, USER
from shoal.deploy.kubernetes.scope import Scope, grace
from shoal.deploy.kubernetes.sheet import Made, Text
from shoal.deploy.kubernetes.workloads import COMMAND, image_of
from shoal.deploy.yaml import Json
from shoal.model.plan import ServicePlan

PYTHON = "3.12-slim-trixie"
"""Tag of the interpreter's image."""

_EXTRAS = {
    **dict.fromkeys(("dynamodb", "sns", "s3", "gcs", "redshift"), "aws"),
    **{name: name for name in ("mongo", "kafka", "rabbitmq", "servicebus")},
    "duckdb": "warehouse",
}
"""Extras of shoal that bring the client of a server."""

_IGNORED = """\
# What no image needs, and what none may have: history, state of a laptop, secrets.
.git
.venv*
**/.shoal
**/.env*
**/*key*.json
**/__pycache__
**/tests
keys
signing
"""


def make(scope: Scope) -> Iterator[Made]:
    """Make them."""
    for service in scope.plan.services:
        folder = f"images/{service.name}"
        yield Text(path=f"{folder}/Dockerfile", text=_dockerfile(scope, service))
        yield Text(path=f"{folder}/Dockerfile.dockerignore", text=_IGNORED)
        yield Text(
            path=f"{folder}/requirements.in",
            text=f"# What it needs of Shoal; lock it with what it needs besides.\n{package(scope, service)}\n",
        )
    yield Text(path="images/compose.yaml", text=_compose(scope))


def package(scope: Scope, service: ServicePlan) -> str:
    """Name the package with the clients that a service needs, and no engine."""
    extras = {_EXTRAS[server] for server in scope.uses(service).values() if server in _EXTRAS}
    if scope.declared(service).personal and any(one.secrets.store == "aws" for one in scope.environments):
        extras.add("aws")  # its key ring
    return f"shoal[{','.join(sorted(extras))}]" if extras else "shoal"


def _dockerfile(scope: Scope, service: ServicePlan) -> str:
    copies = "\n".join(f"COPY {what}" for what in _copied(scope, service))
    command = ", ".join(f'"{word}"' for word in COMMAND)
    return f"""\
# syntax=docker/dockerfile:1
# Build it in the project's folder, which is the context:
#   docker build -f DIR/images/{service.name}/Dockerfile -t {image_of(scope, service)} \\
#     --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) .
# Its layers, by how often they change: the interpreter, what is locked, the code of the system.
# Pin the interpreter by its digest, as what is locked is: --build-arg PYTHON={PYTHON}@sha256:...
ARG PYTHON={PYTHON}

FROM python:${{PYTHON}} AS locked
ARG REQUIREMENTS=requirements.txt
ARG SOURCE_DATE_EPOCH=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
COPY ${{REQUIREMENTS}} /tmp/requirements.txt
# Only what is named with its hash, and nothing that would have to be compiled here.
RUN python -m venv --without-pip /venv \\
 && pip --python /venv/bin/python install --require-hashes --only-binary :all: --no-compile -r /tmp/requirements.txt \\
 && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib

FROM python:${{PYTHON}}
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
WORKDIR /app
COPY --from=locked /venv /venv
{copies}
USER {USER}:{USER}
EXPOSE {PORT}
STOPSIGNAL SIGTERM
CMD [{command}]
"""


def _copied(scope: Scope, service: ServicePlan) -> list[str]:
    """Say what of the project a service needs: its package, or the modules beside its own."""
    declared = scope.declared(service)
    top, slash, _ = declared.source.partition("/")
    module = service.entry.partition(":")[0].split(".")
    if slash or len(module) > 1:
        name = top if slash else module[0]
        return [f"{name} ./{name}"]
    folder = declared.store.migrations if declared.store is not None else ""
    return ["*.py ./", *([f"{folder} ./{folder}"] if folder else [])]


def _compose(scope: Scope) -> str:
    how = "To try the images together: docker compose -f DIR/images/compose.yaml --project-directory . up --build."
    where = "Addresses of engines come from variables, or from a file .env that stays out of version control."
    services = {service.name: _service(scope, service) for service in scope.plan.services}
    return yaml.document({"name": scope.system, "services": services}, head=(how, where))


def _service(scope: Scope, service: ServicePlan) -> Json:
    wanted = configuration.required(scope, service)
    names = sorted({*wanted, *service.externals.values()})
    prefix = service.name.replace("-", "_").upper()
    given = {name: f"${{{name if name.startswith(prefix) else f'{prefix}_{name}'}:?}}" for name in names}
    mounts = [f"./keys:{configuration.KEYS}:ro"] if configuration.key_files(scope) else []
    if service.issues_tokens:
        mounts.append(f"./signing:{configuration.SIGNING}:ro")
    probe = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/ready', timeout=2)"
    return {
        "image": f"{image_of(scope, service)}:local",
        "build": {"context": ".", "dockerfile": f"${{SHOAL_DEPLOY:-deploy}}/images/{service.name}/Dockerfile"},
        "environment": {**configuration.settings(scope, service), **given},
        **({"volumes": mounts} if mounts else {}),
        "ports": [f"127.0.0.1::{PORT}"],
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - a place of its own
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": f"{grace(scope.declared(service))}s",
        "healthcheck": {
            "test": ["CMD", "python", "-c", probe],
            "interval": "5s",
            "timeout": "3s",
            "retries": 3,
            "start_period": "60s",
        },
        "restart": "on-failure",
    }
