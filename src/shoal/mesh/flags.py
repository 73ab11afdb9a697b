"""Envoy's response flags, what each means, and which cause it points to.

Source: Envoy's documentation, "Access logging", ``%RESPONSE_FLAGS%``. Of several flags the first in the table counts.
"""

from dataclasses import dataclass

from shoal.mesh.causes import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag."""

    flag: str
    meaning: str
    cause: Cause


FLAGS = (
    Flag(flag="FI", meaning="a fault was injected: the request was aborted", cause="fault"),
    Flag(flag="RL", meaning="the caller asked too often (local limit)", cause="limited"),
    Flag(flag="RLSE", meaning="the service of rate limits failed", cause="limited"),
    Flag(flag="UAEX", meaning="an external authorizer refused", cause="denied"),
    Flag(flag="OM", meaning="the proxy was overloaded and ended the request", cause="overloaded"),
    Flag(flag="DO", meaning="requests are being dropped because of overload", cause="overloaded"),
    Flag(flag="UDO", meaning="all requests are being dropped, as configured", cause="overloaded"),
    Flag(flag="UO", meaning="too many requests or connections were under way", cause="breaker-open"),
    Flag(flag="UH", meaning="no replica was healthy", cause="no-replica"),
    Flag(flag="LH", meaning="the proxy's own health check has failed", cause="no-replica"),
    Flag(flag="NC", meaning="the cluster of the route does not exist", cause="misconfigured"),
    Flag(flag="NFCF", meaning="the configuration of a filter did not arrive within its time", cause="misconfigured"),
    Flag(flag="NR", meaning="no route matched", cause="no-route"),
    Flag(flag="UF", meaning="no connection to the replica could be made", cause="refused"),
    Flag(flag="DF", meaning="the name of the replica could not be resolved", cause="refused"),
    Flag(flag="URX", meaning="it was repeated as often as it may be", cause="reset"),
    Flag(flag="UT", meaning="the answer was not there in time", cause="timed-out"),
    Flag(flag="UMSDR", meaning="the stream lasted longer than it may", cause="timed-out"),
    Flag(flag="DT", meaning="the connection lasted longer than it may", cause="timed-out"),
    Flag(flag="SI", meaning="nothing was sent for too long", cause="too-slow"),
    Flag(flag="UC", meaning="the replica ended the connection", cause="reset"),
    Flag(flag="UR", meaning="the replica reset the stream", cause="reset"),
    Flag(flag="LR", meaning="the proxy reset the stream", cause="reset"),
    Flag(flag="UPE", meaning="the replica's answer broke the rules of HTTP", cause="bad-answer"),
    Flag(flag="DPE", meaning="the request broke the rules of HTTP", cause="malformed"),
    Flag(flag="IH", meaning="a header of the proxy's own had an impossible value", cause="malformed"),
    Flag(flag="DC", meaning="the client ended the connection", cause="client-gone"),
    Flag(flag="DR", meaning="the client reset the stream", cause="client-gone"),
    Flag(flag="RFCF", meaning="the answer came from the gateway's cache", cause="answered"),
    Flag(flag="DI", meaning="a delay was injected", cause="fault"),
)
"""Every flag that Envoy documents."""


def known(flags: str) -> tuple[Flag, ...]:
    """List the known flags of a line such as ``UF,URX``, the one that counts first."""
    written = {flag.strip() for flag in flags.split(",")}
    return tuple(flag for flag in FLAGS if flag.flag in written)


def strange(flags: str) -> tuple[str, ...]:
    """List the flags of a line that the table lacks."""
    names = {flag.flag for flag in FLAGS}
    return tuple(flag.strip() for flag in flags.split(",") if flag.strip() not in {*names, "-", ""})
