"""Alarms, who hears them, and the budget."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.switches import after
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import NUMBER
from shoal.deploy.gcp.resources import Alarm, Watch
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_QUIET, _HEARD = "EVALUATION_MISSING_DATA_INACTIVE", "EVALUATION_MISSING_DATA_ACTIVE"
_CHANNEL = Raw("google_monitoring_notification_channel.alarms.id")


def watch(one: Watch, context: Context) -> Iterator[Block]:
    """Write who hears what."""
    if one.email:
        arguments: dict[str, Value] = {
            "display_name": f"{context.scope.system} {context.scope.environment.name}",
            "type": "email",
            "labels": {"email_address": one.email},
        }
        yield resource("google_monitoring_notification_channel", "alarms", *items(arguments))
    if one.budget and one.billing:
        yield _budget(one, context)


def _budget(one: Watch, context: Context) -> Block:
    amount = Block(kind="amount", body=(block("specified_amount", currency_code="USD", units=str(one.budget)),))
    rules = [
        block("threshold_rules", threshold_percent=share, spend_basis=basis)
        for basis, share in (("FORECASTED_SPEND", 1), ("CURRENT_SPEND", 0.8), ("CURRENT_SPEND", 1))
    ]
    heard = (
        [block("all_updates_rule", monitoring_notification_channels=[_CHANNEL], disable_default_iam_recipients=False)]
        if one.email
        else []
    )
    arguments: dict[str, Value] = {"billing_account": one.billing, "display_name": context.named()}
    project = block("budget_filter", projects=[Text(("projects/", NUMBER))])
    return resource("google_billing_budget", "main", *items(arguments, project, amount, *rules, *heard))


def alarm(one: Alarm, context: Context) -> Iterator[Block]:
    """Write an alarm."""
    heard = any(watch.email for watch in context.all(Watch))
    labels = [_label(name, value) for name, value in one.labels.items()]
    asked = [f'resource.type = "{one.resource}"', f'metric.type = "{one.metric}"', *labels]
    added = block(
        "aggregations",
        alignment_period="300s",
        per_series_aligner=one.aligner,
        cross_series_reducer=one.reducer,
        group_by_fields=[one.each],
    )
    arguments: dict[str, Value] = {
        "filter": " AND ".join(asked),
        "comparison": "COMPARISON_GT",
        "threshold_value": one.above,
        "duration": f"{60 * one.minutes}s",
        **({"evaluation_missing_data": after(_QUIET, _HEARD)} if one.silent else {}),
    }
    condition = Block(
        kind="conditions",
        body=items({"display_name": one.name}, Block(kind="condition_threshold", body=items(arguments, added))),
    )
    base: dict[str, Value] = {
        "display_name": context.named(one.name, limit=200),
        "combiner": "OR",
        **({"notification_channels": [_CHANNEL]} if heard else {}),
    }
    told = block("documentation", content=one.why, mime_type="text/markdown")
    yield resource("google_monitoring_alert_policy", one.name, *items(base, condition, told))


def _label(name: str, value: str) -> str:
    if value.startswith("=~"):
        return f'{name} = monitoring.regex.full_match("{value[2:]}")'
    return f'{name} = "{value}"'
