"""Alarms, who hears them, and the budget."""

from collections.abc import Iterator

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.hcl.references import GROUP, at, written
from shoal.deploy.azure.resources import Alarm, Watch
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

_HEARERS = Raw("azurerm_monitor_action_group.main.id")
_TAGS = Raw("local.tags")
_MONTH = Raw("formatdate(\"YYYY-MM-01'T'00:00:00Z\", timestamp())")


def watch(one: Watch, context: Context) -> Iterator[Block]:
    """Write who hears what."""
    said: dict[str, Value] = {
        "name": context.named(),
        "resource_group_name": GROUP,
        "short_name": context.scope.system[:12],
        "tags": _TAGS,
    }
    mail = [block("email_receiver", name="operators", email_address=one.email, use_common_alert_schema=True)]
    yield resource("azurerm_monitor_action_group", one.name, *items(said, *(mail if one.email else [])))
    if one.budget:
        limit: dict[str, Value] = {
            "name": context.named(),
            "resource_group_id": Raw("azurerm_resource_group.main.id"),
            "amount": one.budget,
            "time_grain": "Monthly",
        }
        since = block("time_period", start_date=_MONTH)
        kept = block("lifecycle", ignore_changes=[Raw("time_period")])
        yield resource(
            "azurerm_consumption_budget_resource_group", one.name, *items(limit, since, *_notifications(), kept)
        )


def _notifications() -> Iterator[Block]:
    for kind, share in (("Forecasted", 100), ("Actual", 80), ("Actual", 100)):
        yield block(
            "notification", operator="GreaterThan", threshold=share, threshold_type=kind, contact_groups=[_HEARERS]
        )


def alarm(one: Alarm, context: Context) -> Iterator[Block]:
    """Write an alarm."""
    said: dict[str, Value] = {
        "name": called(context.scope, "alarm", one.name),
        "resource_group_name": GROUP,
        "scopes": [at(one.about)],
        "description": one.why,
        "severity": one.severity,
        "frequency": "PT1M" if one.minutes <= 5 else "PT5M",
        "window_size": f"PT{one.minutes}M",
        "tags": _TAGS,
    }
    chosen = []
    if one.dimension is not None:
        name, values = one.dimension
        chosen = [block("dimension", name=name, operator="Include", values=[written(value) for value in values])]
    criteria = Block(
        kind="criteria",
        body=items(
            {
                "metric_namespace": one.namespace,
                "metric_name": one.metric,
                "aggregation": one.statistic,
                "operator": "LessThan" if one.below else "GreaterThan",
                "threshold": one.above,
            },
            *chosen,
        ),
    )
    action = block("action", action_group_id=_HEARERS)
    yield resource("azurerm_monitor_metric_alert", one.name, *items(said, criteria, action))
