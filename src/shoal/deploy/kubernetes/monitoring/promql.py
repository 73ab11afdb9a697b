"""PromQL in a few words. Every selector has braces, so that whoever reads it can find what it names. Pure."""

import re

NAMED = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}")
"""A selector: the metric and its matchers."""

MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)\s*"')
"""A matcher: its label."""

REQUESTS = "http_server_request_duration_seconds"
ACTIVE = "http_server_active_requests"
EVENTS = "messaging_process_duration_seconds"
SAGAS = "shoal_saga_duration_seconds"
SCHEDULES = "shoal_schedule_duration_seconds"
PROJECTIONS = "shoal_projection_duration_seconds"
OBJECTIVES = "shoal_objective_requests_total"
FAILED = 'http_response_status_code=~"5.."'


def select(metric: str, *matchers: str) -> str:
    """Name series: ``select("up", 'job="orders"')``."""
    return f"{metric}{{{','.join(matcher for matcher in matchers if matcher)}}}"


def of(*services: str) -> str:
    """Match the series of services, by the label that the ServiceMonitor gives them."""
    return f'job="{services[0]}"' if len(services) == 1 else f'job=~"{"|".join(services)}"'


def rate(metric: str, *matchers: str, over: str) -> str:
    """Say how often in a second."""
    return f"rate({select(metric, *matchers)}[{over}])"


def summed(expression: str, *by: str) -> str:
    """Add up over replicas; by nothing, over everything."""
    return f"sum by ({', '.join(by)}) ({expression})" if by else f"sum({expression})"


def share(part: str, whole: str, *by: str) -> str:
    """Say how large a part is of the whole; nothing where there is no whole."""
    return f"{summed(part, *by)} / {summed(whole, *by)}"


def quantile(share_: float, metric: str, *matchers: str, over: str, by: tuple[str, ...]) -> str:
    """Say within how many seconds a share of what was measured took place."""
    inner = summed(rate(f"{metric}_bucket", *matchers, over=over), *by, "le")
    return f"histogram_quantile({share_:g}, {inner})"


def named(expression: str) -> list[tuple[str, tuple[str, ...]]]:
    """List the metrics of an expression, each with the labels that it is asked by."""
    return [(metric, tuple(MATCHER.findall(matchers))) for metric, matchers in NAMED.findall(expression)]


def duration(seconds: float) -> str:
    """Write seconds as Prometheus does, in the largest unit without a rest: ``3d``, ``30m``."""
    whole = round(seconds)
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if whole >= size and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{max(whole, 1)}s"
