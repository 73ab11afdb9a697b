"""When a new version counts as worse, as Argo Rollouts asks Prometheus: with the margins of `shoal canary`."""

from shoal.deploy.kubernetes.monitoring.promql import FAILED, REQUESTS, quantile, rate, select, summed
from shoal.deploy.kubernetes.monitoring.wiring import NAMESPACE
from shoal.deploy.kubernetes.naming import meta
from shoal.deploy.yaml import Json, Noted
from shoal.model.rollout import Rollout
from shoal.model.verdict import USUAL

PROMETHEUS = f"http://prometheus-operated.{NAMESPACE}.svc:9090"
ROLE = "shoal_dev_role"
"""Label of a series: ``stable`` or ``canary``, from the pod's label."""

OVER = "5m"
"""Over which time both versions are compared."""

HERE = 'namespace="{{args.namespace}}"'


def template(system: str, service: str, rule: Rollout) -> Json:
    """Make the AnalysisTemplate of a service.

    A new version is worse when its share of bad answers exceeds that of the stable one by more than the margin. Once
    bad is an answer of class 5xx. Once it is one slower than 95 % of the stable ones: so many more of them than
    ``slow`` are there exactly when the quantile of the new version at 95 % less the margin lies above that of the
    stable one at 95 %.
    """
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": meta(system, service),
        "spec": {
            "args": [{"name": "namespace"}],
            "metrics": [
                _metric("errors", errors(service, rule), f"<= {rule.errors:g}"),
                _metric("slow", slow(service, rule), "<= 0"),
            ],
        },
    }


def errors(service: str, rule: Rollout) -> str:
    """Ask by how much more of its answers the new version fails; nothing until it has answered enough."""
    fresh, stable = _share(service, "canary"), f"({_share(service, 'stable')} or vector(0))"
    return f"{fresh} - {stable}\nand on () {enough(service, rule)}"


def slow(service: str, rule: Rollout) -> str:
    """Ask by how many seconds too slow it is; nothing until it has answered enough, or nothing to compare with."""
    fresh, stable = (
        quantile(share, REQUESTS, *_one(service, version), over=OVER, by=())
        for share, version in ((round(USUAL - rule.slow, 9), "canary"), (USUAL, "stable"))
    )
    return f"{fresh}\n- {stable}\nand on () {enough(service, rule)}"


def enough(service: str, rule: Rollout) -> str:
    """Ask whether the new version has answered as many requests as a verdict needs."""
    counted = f"increase({select(f'{REQUESTS}_count', *_one(service, 'canary'))}[{OVER}])"
    return f"({summed(counted)} >= {rule.requests})"


def _one(service: str, version: str) -> tuple[str, ...]:
    return HERE, f'job="{service}"', f'{ROLE}="{version}"'


def _share(service: str, version: str) -> str:
    one = _one(service, version)
    failed, every = (summed(rate(f"{REQUESTS}_count", *one, *more, over=OVER)) for more in ((FAILED,), ()))
    return f"({failed} or 0 * {every}) / {every}"


def _metric(name: str, query: str, fine: str) -> Json:
    return {
        "name": name,
        "interval": "1m",
        "initialDelay": "1m",
        "successCondition": Noted(f"len(result) == 0 || isNaN(result[0]) || result[0] {fine}", "Too few: no verdict."),
        "failureLimit": 0,
        "consecutiveErrorLimit": 5,
        "provider": {"prometheus": {"address": PROMETHEUS, "query": query}},
    }
