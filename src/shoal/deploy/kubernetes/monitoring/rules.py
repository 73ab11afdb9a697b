"""PrometheusRules: the alerts as Prometheus' operator takes them, each with the page that says what to do."""

from collections.abc import Iterator, Sequence

from shoal.deploy.kubernetes.monitoring.alerts import Alert, everywhere, promised
from shoal.deploy.kubernetes.monitoring.promql import of
from shoal.deploy.kubernetes.naming import meta
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Sheet, Thing
from shoal.deploy.yaml import Json

RUNBOOKS = "https://shoal.dev/docs/runbooks.html"
"""Where the page about alerts is published; ``docs/runbooks.md`` has its text."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the rules: those that every service has, and those of what each promises."""
    every = of(*(service.name for service in scope.plan.services))
    rules = [rule(alert, every) for alert in everywhere()]
    things = [Thing(body=_object(scope, "alerts", [_group(f"{scope.system}-services", rules)]))]
    for service in scope.plan.services:
        declared = scope.declared(service)
        if budgets := [rule(alert, "") for alert in promised(declared)]:
            group = _group(f"{scope.system}-{service.name}-budgets", budgets)
            things.append(
                Thing(
                    body=_object(scope, f"{service.name}-budgets", [group]),
                    source=declared.source,
                    why="Two windows burn before anybody is told (SRE workbook, chapter 5).",
                )
            )
    yield Sheet(path="monitoring/rules.yaml", things=tuple(things))


def rule(alert: Alert, services: str) -> Json:
    """Write one alert; `services` matches those that it is about."""
    found: Json = {"alert": alert.name, "expr": alert.expression.replace("%s", services)}
    if alert.lasting != "0m":
        found["for"] = alert.lasting
    found["labels"] = {"severity": alert.severity, **alert.labels}
    found["annotations"] = {"summary": alert.summary, "runbook_url": f"{RUNBOOKS}#{alert.name.lower()}"}
    return found


def _group(name: str, rules: Sequence[Json]) -> Json:
    return {"name": name, "interval": "30s", "rules": list(rules)}


def _object(scope: Scope, name: str, groups: Sequence[Json]) -> Json:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": meta(scope.system, name, "system"),
        "spec": {"groups": list(groups)},
    }
