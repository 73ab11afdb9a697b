"""Measure B1."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bench import http
from bench.edge import proxies, world
from bench.edge.proxies import BARE, HAPROXY, NGINX, OURS
from bench.handler.world import CLIENTS, Keys
from bench.outcome import Effort, Outcome
from bench.races import circumstances, compare, figures
from bench.report import Comparison, Section
from bench.rounds import Amount, Say, interleave
from bench.statistics import Target, estimate, ratios
from bench.workers import generator

ROUNDS, OPERATIONS = 31, 1000

ABOUT = f"""
A `GET` with a path parameter and a bearer token (ES256), passed on over a UNIX socket to a service that answers
from memory. Shoal's edge verifies the token, counts the request against its principal's limit, finds its route
among {world.ROUTES + 1}, drops what a client may not say, and writes a line of JSON about it: everything that the
gateway of a system does, hardening included; faults on purpose are for laptops, and left out. The others pass
everything on and do nothing else, with connections kept open on both sides; nginx and HAProxy are Debian's. One worker
thread each, on the processor that the load generator does not use; {CLIENTS} connections, each sending when it
has its answer. Only the proxy's own processor time counts: it is what the gateway takes from a machine. The ratios
are of processor time per request; 1.6 means 60 % more than the peer.
"""


async def run(effort: Effort, say: Say) -> Outcome:
    """Measure beside every peer that is installed."""
    absent = proxies.missing()
    for name in absent:
        say(f"{name} is not installed here, so it is left out: apt-get install nginx-light haproxy")
    names = [name for name in (BARE, OURS, NGINX, HAPROXY) if name not in absent]
    amount = Amount(rounds=effort.choose(ROUNDS), operations=OPERATIONS)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoal-bench-")))
        keys = world.make_keys(folder)
        load = await stack.enter_async_context(generator())
        upstream = await stack.enter_async_context(proxies.origin(folder))
        racing = [await stack.enter_async_context(proxies.proxy(n, folder, upstream, load, keys)) for n in names]
        await _refuses(next(one for one in racing if one.name == OURS).port, keys)
        rounds = await interleave(racing, amount, say)
    comparisons: list[Comparison] = []
    for peer, bound in ((BARE, 1.6), (NGINX, None), (HAPROXY, None)):
        if peer in names:
            costs = ratios([r.cpu_us(OURS) for r in rounds], [r.cpu_us(peer) for r in rounds])
            target = Target(bound=bound, better="lower") if bound else None
            comparisons.append(
                Comparison(what=f"{OURS} / {peer}, processor time per request", ratio=estimate(costs), target=target)
            )
    facts = circumstances(rounds) | ({"left out, not installed": ", ".join(absent)} if absent else {})
    section = Section(
        id="B1",
        title="what the gateway's profile costs",
        about=ABOUT,
        comparisons=(*comparisons, compare(rounds, OURS, BARE, what=f"{OURS} / {BARE}")[0]),
        tables=(figures(rounds),),
        facts=facts,
    )
    return Outcome(section=section, rows={"edge": rounds})


async def _refuses(port: int, keys: Keys) -> None:
    """See that the profile is at work, or it would be measured without."""
    for token in ("", keys.forged):
        answer = await http.send(port, world.request(token))
        if answer.status != 401:
            raise RuntimeError(f"the edge answered {answer.status} to a request that has no valid token")
    admitted = await http.send(port, world.request(keys.tokens[0]))
    if not any(name.startswith("ratelimit") for name in admitted.headers):
        raise RuntimeError(f"the edge counts nothing: {dict(admitted.headers)}")
