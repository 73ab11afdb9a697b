"""Files that services are given from secrets, and which settings are secrets: the same on every cloud. Pure."""

from collections.abc import Iterable

from shoal.deploy.cloud.scope import Scope
from shoal.deploy.cloud.telling import SIGNING, key_files
from shoal.model.plan import ServicePlan
from shoal.model.service import Setting

ALL = "all"
"""Whose secrets are everybody's."""


def given(scope: Scope, service: ServicePlan, more: Iterable[str] = ()) -> dict[str, str]:
    """List the files that a service is given, and the variables that hold them until it starts."""
    own = [SIGNING] if service.issues_tokens and scope.plan.system.gateway.issuer is not None else []
    return {file: held(file) for file in (*key_files(scope), *own, *more)}


def kept(scope: Scope, setting: Setting) -> bool:
    """Tell whether a setting is a secret that an environment has."""
    return setting.secret and (setting.required or setting.variable in scope.environment.optional)


def secret(file: str) -> str:
    """Name the secret of a file."""
    return file.partition(".")[0]


def held(file: str) -> str:
    """Name the variable that holds a file until it is written."""
    return f"SHOAL_FILE_{secret(file)}".replace("-", "_").upper()
