"""The shop as it is written for Kubernetes."""

import functools
import json
from typing import Any

from shoal.deploy import yaml
from shoal.deploy.kubernetes.monitoring import boards, rules
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import ENVIRONMENTS
from shoal.deploy.kubernetes.sheet import Sheet
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan
from shoal.service.describe import describe
from shop.system import system


@functools.cache
def scope() -> Scope:
    """Plan the shop for three environments."""
    described = describe(system)
    return Scope(plan=plan(described, target(described, ENVIRONMENTS[0])), environments=ENVIRONMENTS)


def groups() -> list[Any]:
    """List the groups of all rules."""
    found = [thing.body for made in rules.make(scope()) if isinstance(made, Sheet) for thing in made.things]
    return [group for body in found for group in yaml.plain(body)["spec"]["groups"]]


def alerts() -> list[Any]:
    """List all rules."""
    return [rule for group in groups() for rule in group["rules"]]


def dashboards() -> list[Any]:
    """List all dashboards, as Grafana reads them."""
    return [json.loads(json.dumps(maker(scope()))) for maker in (boards.golden, boards.events, boards.whole)]


def shown() -> list[str]:
    """List every expression of every dashboard."""
    return [t["expr"] for board in dashboards() for panel in board["panels"] for t in panel.get("targets", [])]
