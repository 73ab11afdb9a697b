"""Alarms, who hears them, and the budget."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Alarm, Watch
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.switches import after
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

_TOPIC = Raw("aws_sns_topic.alarms.arn")


def watch(one: Watch, context: Context) -> Iterator[Block]:
    """Write who hears what."""
    yield resource("aws_sns_topic", "alarms", *items({"name": context.named("alarms")}))
    if one.email:
        arguments: dict[str, Value] = {"topic_arn": _TOPIC, "protocol": "email", "endpoint": one.email}
        yield resource("aws_sns_topic_subscription", "alarms", *items(arguments))
    if one.budget:
        yield resource("aws_budgets_budget", "main", *items(_limit(one, context), *_notifications(one)))


def _limit(one: Watch, context: Context) -> dict[str, Value]:
    return {
        "name": context.named(),
        "budget_type": "COST",
        "time_unit": "MONTHLY",
        "limit_amount": str(one.budget),
        "limit_unit": "USD",
    }


def _notifications(one: Watch) -> Iterator[Block]:
    whom: Value = [one.email] if one.email else []
    for kind, share in (("FORECASTED", 100), ("ACTUAL", 80), ("ACTUAL", 100)):
        yield block(
            "notification",
            comparison_operator="GREATER_THAN",
            notification_type=kind,
            threshold=share,
            threshold_type="PERCENTAGE",
            **({"subscriber_email_addresses": whom} if whom else {"subscriber_sns_topic_arns": [_TOPIC]}),
        )


def alarm(one: Alarm, context: Context) -> Iterator[Block]:
    """Write an alarm; of several metrics the highest counts."""
    seconds = one.minutes * 60
    base: dict[str, Value] = {
        "alarm_name": context.named(one.name, limit=200),
        "alarm_description": one.why,
        "comparison_operator": "LessThanThreshold" if one.below else "GreaterThanThreshold",
        "threshold": one.above,
        "evaluation_periods": 1,
        "treat_missing_data": after("notBreaching", "breaching") if one.silent else "notBreaching",
        "alarm_actions": [_TOPIC],
        "ok_actions": [_TOPIC],
    }
    if len(one.dimensions) == 1:
        metric: dict[str, Value] = {
            "namespace": one.namespace,
            "metric_name": one.metric,
            "statistic": one.statistic,
            "period": seconds,
            "dimensions": _dimensions(one, 0, context),
        }
        yield resource("aws_cloudwatch_metric_alarm", one.name, *items({**base, **metric}))
        return
    queries = [_query(one, number, seconds, context) for number in range(len(one.dimensions))]
    worst = block("metric_query", id="worst", expression="MAX(METRICS())", label=one.metric, return_data=True)
    yield resource("aws_cloudwatch_metric_alarm", one.name, *items(base, worst, *queries))


def _query(one: Alarm, number: int, seconds: int, context: Context) -> Block:
    metric = block(
        "metric",
        namespace=one.namespace,
        metric_name=one.metric,
        stat=one.statistic,
        period=seconds,
        dimensions=_dimensions(one, number, context),
    )
    return Block(kind="metric_query", body=items({"id": f"m{number}"}, metric))


def _dimensions(one: Alarm, number: int, context: Context) -> Value:
    return {name: context.written(value) for name, value in one.dimensions[number].items()}
