"""An alert wakes somebody and does not say what to do.

## What it does

Looks for alerts of Prometheus in manifests beside the system (`PrometheusRule`, and files of rules) without an
annotation `runbook_url`. Those that `shoal deploy kubernetes` writes have one.

## Why

At three in the morning nobody remembers what a threshold was for. A page that says what is wrong, how to look and what
to try first is the difference between minutes and hours.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank", services=[rates])
```

```yaml title="monitoring/alerts.yaml"
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: rates
spec:
  groups:
    - name: rates
      rules:
        - alert: RatesSlow  # <- SH505
          expr: rates_seconds > 3
          annotations:
            summary: rates are slow
```

## Good

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank", services=[rates])
```

```yaml title="monitoring/alerts.yaml"
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: rates
spec:
  groups:
    - name: rates
      rules:
        - alert: RatesSlow
          expr: rates_seconds > 3
          annotations:
            summary: rates are slow
            runbook_url: https://wiki.example/rates-slow
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.manifests import Line, documents
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find alerts that name no page."""
    for document in documents(subject.files):
        alert: Line | None = None
        for line in (*document.lines, None):
            if line is None or line.key in ("alert", "record"):
                if alert is not None:
                    yield Finding(
                        where=alert.where,
                        message=f"the alert {alert.value} does not say where it is written what to do",
                        help="add the annotation runbook_url, and its page: what is wrong, how to look, what to try",
                    )
                alert = line if line is not None and line.key == "alert" else None
            elif line.key in ("runbook_url", "runbook") and line.value:
                alert = None


RULE = Rule(
    code="SH505",
    name="runbook-missing",
    severity="warning",
    summary="an alert wakes somebody and does not say what to do",
    page=__doc__,
    find=find,
    answers=("Monitoring",),
    needs=frozenset({"objects"}),
)
