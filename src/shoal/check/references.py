"""What the literature warns of, row by row, and which rules look at it.

The rows are those of the reference architecture that this framework follows: its six pitfalls, its checklists of
security, performance and cost, and the five cases in which it advises against services. A rule names in `Rule.answers`
the rows that it looks at.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from shoal.check.rule import AnyRule

Part = Literal["Pitfalls", "Security", "Performance", "Cost", "Poor fit"]

PARTS: dict[Part, int] = {"Pitfalls": 6, "Security": 7, "Performance": 5, "Cost": 7, "Poor fit": 5}
"""Part → how many rows it has."""


class Row(NamedTuple):
    """One row of the reference."""

    part: Part
    name: str
    says: str
    """What it says, in short."""
    elsewhere: str = ""
    """Which other part of Shoal answers it; Markdown with links from ``docs/rules``."""
    open: str = ""
    """What nobody looks at yet; empty where nothing is missing."""


_POLICIES = "policies for who may reach whom: [Kubernetes](../kubernetes.md), [AWS](../aws.md)"
_MUTUAL = "every call is mutual TLS, and the edge serves TLS: [architecture](../architecture.md)"
_RECORD = "who asked for what is kept: [commands](../how-to/commands.md)"
_REPLICAS = (
    "replicas by load: [Kubernetes](../kubernetes.md); many events in one transaction: [engines](../how-to/engines.md)"
)
_START = "how soon a system starts is measured: [benchmarks](../benchmarks.md)"
_BILL = "`shoal cost` says what it would save: [cost](../cost.md)"
_IMAGES = "written by `shoal deploy`, as small as can be: [Kubernetes](../kubernetes.md)"
_COMPRESSION = "answers are compressed at the edge: [transformation](../how-to/transformation.md)"
_FIT = "`shoal fit` answers it with numbers: [fit](../how-to/fit.md)"
_THERE = "`shoal new` brings all of it: [tutorial](../tutorial.md)"

ROWS: tuple[Row, ...] = (
    Row("Pitfalls", "Distributed monolith", "services that are tied together by synchronous calls"),
    Row("Pitfalls", "Over-granular services", "many tiny services for one thing"),
    Row("Pitfalls", "Shared database", "two services in one database"),
    Row("Pitfalls", "Missing observability", "nobody can follow a request across services"),
    Row("Pitfalls", "No circuit breakers", "a callee that fails takes its callers with it"),
    Row("Pitfalls", "Ignoring data consistency", "one transaction over services is expected"),
    Row("Security", "Network", "isolation, policies, private endpoints", _POLICIES),
    Row("Security", "Transport", "mutual TLS between services, TLS at the edge", _MUTUAL),
    Row("Security", "Authentication", "tokens, keys, accounts of services"),
    Row("Security", "Authorization", "roles, attributes, policies of a fine grain"),
    Row("Security", "Data", "encryption at rest and of single fields"),
    Row("Security", "Secrets", "a store of their own, renewed"),
    Row("Security", "Monitoring", "a record of who did what, anomalies", _RECORD),
    Row("Performance", "Latency", "pools of connections, caches, work that nobody waits for"),
    Row("Performance", "Throughput", "more replicas, batches", _REPLICAS),
    Row("Performance", "Database", "read replicas, queries, indexes"),
    Row("Performance", "Network", "the mesh, gRPC, compression", _COMPRESSION),
    Row("Performance", "Cold start", "capacity that is kept warm", _START),
    Row("Cost", "Spot instances", "for what is not critical", _BILL),
    Row("Cost", "Right-sized containers", "begin small, grow by metrics"),
    Row("Cost", "Scaling by itself", "down when there is little to do", _REPLICAS),
    Row("Cost", "Reserved capacity", "for what always runs", _BILL),
    Row("Cost", "Small images", "which are pulled faster", _IMAGES),
    Row("Cost", "Shared dependencies", "base images, sidecars", _IMAGES),
    Row("Cost", "Managed services", "which are often cheaper", _BILL),
    Row("Poor fit", "Simple applications", "or a first version", _FIT),
    Row("Poor fit", "Small teams", "less than ten engineers", _FIT),
    Row("Poor fit", "Tight deadlines", "without the infrastructure", _THERE),
    Row("Poor fit", "Tightly coupled data", "that changes together", _FIT),
    Row("Poor fit", "Ultra-low latency", "between components, in real time"),
)


def codes(row: Row, rules: Sequence[AnyRule]) -> tuple[str, ...]:
    """List the codes of the rules that look at a row."""
    return tuple(sorted(rule.code for rule in rules if row.name in rule.answers))


def markdown(rules: Sequence[AnyRule]) -> str:
    """Print the rows for ``docs/rules``, with the rules that look at them and what is open."""
    parts = ["# Pitfalls and checklists", _INTRODUCTION]
    for part in PARTS:
        rows = "".join(_line(row, rules) for row in ROWS if row.part == part)
        parts.append(f"## {part}\n\n| Row | Rules | Elsewhere | Open |\n|---|---|---|---|\n{rows}".rstrip())
    return "\n\n".join(parts) + "\n"


def _line(row: Row, rules: Sequence[AnyRule]) -> str:
    links = ", ".join(f"[{code}]({code}.md)" for code in codes(row, rules))
    return f"| **{row.name}**: {row.says} | {links or '-'} | {row.elsewhere or '-'} | {row.open or '-'} |\n"


_INTRODUCTION = """\
What the literature on microservices warns of, and who looks at it here: rules of `shoal check`, or another part of
Shoal. What nobody looks at yet is said, too. [All rules](README.md)"""
