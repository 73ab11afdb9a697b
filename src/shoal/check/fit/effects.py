"""What merging, splitting or one process for all does to latency, availability and cost, with the formula of each."""

import math
from collections.abc import Sequence
from itertools import pairwise

from shoal.check.fit.advice import Effect
from shoal.check.fit.evidence import Evidence, Pair, Service

HOP = 0.001
"""Seconds that a call is taken to spend between two services where nothing was measured."""

USUAL = 0.999
"""Availability of a service that promises none."""

_MINUTES = 30 * 24 * 60


def merged(evidence: Evidence, pair: Pair) -> Effect:
    """Say what one service instead of two does."""
    caller, callee = service(evidence, pair.caller), service(evidence, pair.callee)
    return Effect(
        latency=_saved(evidence, pair),
        availability=_joined([caller, callee], required=pair.required),
        cost=_spared(evidence, (pair.caller, pair.callee)),
    )


def split(evidence: Evidence, name: str, parts: int) -> Effect:
    """Say what several services instead of one do."""
    own = service(evidence, name)
    share = own.availability or USUAL
    money = evidence.money
    if money is None or name not in money.fixed:
        cost = _UNPRICED
    else:
        more = money.fixed[name] * (parts - 1)
        cost = f"up to {more:,.2f} {money.unit} a month more ({money.where}): what {name} costs unasked, {parts - 1} ×"
    return Effect(
        latency="none, where the parts go on asking each other nothing: they share no data",
        availability=f"each of {parts} parts fails alone: {_spelt(share)} of each instead of all at once"
        f"{_assumed([own])}",
        cost=cost,
    )


def together(evidence: Evidence) -> Effect:
    """Say what one process for all does."""
    chain = evidence.chain
    calls = max(0, len(chain) - 1)
    hops, source = hop(evidence, list(pairwise(chain)))
    latency = (
        f"{_ms(hops)} less on the longest way, {' → '.join(chain)}: {calls} × {_ms(hops / calls)} {source}"
        if calls
        else "none: nobody waits for another service"
    )
    return Effect(
        latency=latency,
        availability=_joined([service(evidence, name) for name in dict.fromkeys(chain)], required=True)
        if calls
        else "no way passes through two services; but one fault ends all of them at once",
        cost=_spared(evidence, tuple(one.name for one in evidence.services)),
    )


def hop(evidence: Evidence, ways: Sequence[tuple[str, str]]) -> tuple[float, str]:
    """Add the seconds between services on some ways, and say where they are from."""
    known = evidence.run.pairs if evidence.run else {}
    seen = [known[way].hop if way in known else None for way in ways]
    total = sum(HOP if seconds is None else seconds for seconds in seen)
    if evidence.run is None or all(seconds is None for seconds in seen):
        return total, f"(assumed: {_ms(HOP)} a call; no run measured it)"
    rest = sum(seconds is None for seconds in seen)
    return total, f"(medians of {evidence.run.name}{f'; {rest} of {len(ways)} assumed' if rest else ''})"


def service(evidence: Evidence, name: str) -> Service:
    """Find a service; one outside of the system promises nothing."""
    found = next((one for one in evidence.services if one.name == name), None)
    return found or Service(name=name, handlers=0)


def counted(number: int, what: str) -> str:
    """Count something: ``1 call``, ``2 calls``."""
    return f"{number} {what}{'s' * (number != 1)}"


_UNPRICED = "unknown: name a place with --target"


def _saved(evidence: Evidence, pair: Pair) -> str:
    seconds, source = hop(evidence, [(pair.caller, pair.callee)])
    seen = evidence.run.pairs.get((pair.caller, pair.callee)) if evidence.run else None
    if seen is None or not seen.work:
        return f"{_ms(seconds)} less for each call {source}; how many calls a request makes was not measured"
    each = seen.each
    product = f"{each:.2f} calls × {_ms(seconds)} {source}"
    return f"{_ms(each * seconds)} less for each piece of work of {pair.caller}: {product}"


def _joined(services: Sequence[Service], *, required: bool) -> str:
    """Compare the product of what services promise with the lowest of it, which one process can keep."""
    shares = [one.availability or USUAL for one in services]
    now, then = math.prod(shares), min(shares)
    if not required:
        return f"as now: {services[0].name} does without an answer of {services[-1].name}; as one they fail together"
    product = " × ".join(_spelt(share) for share in shares)
    return (
        f"{product} = {_spelt(now)} now, {_spelt(then)} as one, the lowest of them:"
        f" {(then - now) * _MINUTES:.0f} minutes a month; they fail together then{_assumed(services)}"
    )


def _assumed(services: Sequence[Service]) -> str:
    silent = [one.name for one in services if not one.availability]
    return f" ({_spelt(USUAL)} assumed of {', '.join(silent)})" if silent else ""


def _spared(evidence: Evidence, names: Sequence[str]) -> str:
    """Add what all but the dearest of some services cost unasked: one has to stay."""
    money = evidence.money
    if money is None:
        return _UNPRICED
    known = [money.fixed[name] for name in names if name in money.fixed]
    if len(known) < len(names):
        return f"unknown: {money.where} has no price for {', '.join(n for n in names if n not in money.fixed)}"
    less = sum(known) - max(known, default=0.0)
    rest = f"; {money.unpriced} items have no price" if money.unpriced else ""
    return f"up to {less:,.2f} {money.unit} a month less ({money.where}): what all but the dearest cost unasked{rest}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def _spelt(share: float) -> str:
    return f"{share * 100:.5g} %"
