"""Alarms, and who hears them."""

from shoal.deploy.azure.bicep.context import TAGS, Context, Declared
from shoal.deploy.azure.bicep.references import symbol
from shoal.deploy.azure.called import called
from shoal.deploy.azure.resources import Alarm, Watch
from shoal.deploy.bicep.values import Raw, Resource, Value

_FIXED = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"


def watch(one: Watch, context: Context) -> Declared:
    """Write who hears alarms; a budget has no type here that could be checked, and is Terraform's alone."""
    receivers: list[Value] = [{"name": "operators", "emailAddress": one.email, "useCommonAlertSchema": True}]
    body: dict[str, Value] = {
        "enabled": True,
        "groupShortName": context.scope.system[:12],
        **({"emailReceivers": receivers} if one.email else {}),
    }
    yield context.part("hearers", "main", {"location": "Global", "tags": TAGS, "properties": body})


def alarm(one: Alarm, context: Context) -> Declared:
    """Write an alarm."""
    chosen: list[Value] = []
    if one.dimension is not None:
        name, values = one.dimension
        said = [context.references.written(value) for value in values]
        chosen = [{"name": name, "operator": "Include", "values": said}]
    criterion: Value = {
        "criterionType": "StaticThresholdCriterion",
        "name": "measured",
        "metricNamespace": one.namespace,
        "metricName": one.metric,
        "timeAggregation": one.statistic,
        "operator": "LessThan" if one.below else "GreaterThan",
        "threshold": int(one.above),
        "dimensions": chosen,
    }
    about = context.references.symbol(one.about.kind, one.about.name)
    hearers = context.references.symbol("hearers")
    body: dict[str, Value] = {
        "description": one.why,
        "severity": one.severity,
        "enabled": True,
        "scopes": [Raw(f"{about}.id")],
        "evaluationFrequency": "PT1M" if one.minutes <= 5 else "PT5M",
        "windowSize": f"PT{one.minutes}M",
        "criteria": {"odata.type": _FIXED, "allOf": [criterion]},
        "actions": [{"actionGroupId": Raw(f"{hearers}.id")}],
    }
    named: dict[str, Value] = {
        "name": called(context.scope, "alarm", one.name),
        "location": "global",
        "tags": TAGS,
        "properties": body,
    }
    yield Resource(symbol=symbol("alarm", one.name), kind="Microsoft.Insights/metricAlerts@2018-03-01", body=named)
