"""Expressions that leave out what other operations serve: of two that fit, Linkerd takes any. Pure.

Its proxy prefers the match that is longer, and an expression that fits a whole path is as long as the path itself;
among equals the route counts that was created first. So a template must not fit the paths of operations that are
closer, however they are spelled: paths come to it as they are, escaped or not.
"""

from collections.abc import Collection, Sequence

from shoal.deploy.kubernetes import paths
from shoal.deploy.yaml import Json
from shoal.mesh.routes import Operation

LONGEST = 1024
"""Characters of an expression in a route."""

_SEGMENT = "[^/]+"
_ODD = frozenset(r"\]^-[")


def match(operation: Operation, others: Sequence[Operation], reserved: Sequence[str] = ()) -> Json:
    """Match the paths of an operation that no closer one serves, nor what is reserved."""
    closer = [*paths.closer(operation, others), *(one for one in reserved if operation.method == "GET")]
    beside = [one for one in closer if paths.overlap(operation.path, one)]
    if not beside or "{" not in operation.path:
        return paths.match(operation.path)
    return {"type": "RegularExpression", "value": expression(operation.path, beside)}


def expression(path: str, beside: Sequence[str]) -> str:
    """Write an expression (RE2) for a template, which fits nothing that one of the others fits."""
    return _rest(path.split("/"), [one.split("/") for one in beside]) or ""


def _rest(parts: Sequence[str], others: Sequence[Sequence[str]]) -> str | None:
    """Write what may follow, while the others still fit what came before; None where nothing may."""
    if not parts:
        return None if others else ""
    head, tail = parts[0], parts[1:]
    if not head.startswith("{"):
        rest = _rest(tail, [one[1:] for one in others])
        return None if rest is None else _joined(paths.escaped(head), rest, tail)
    words = sorted({one[0] for one in others if not one[0].startswith("{")})
    ways = [
        (paths.escaped(word), [one[1:] for one in others if one[0] == word or one[0].startswith("{")]) for word in words
    ]
    ways.append((neither(words) if words else _SEGMENT, [one[1:] for one in others if one[0].startswith("{")]))
    found = [(first, _rest(tail, left)) for first, left in ways]
    written = [_joined(first, rest, tail) for first, rest in found if rest is not None]
    return None if not written else written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"


def _joined(first: str, rest: str, tail: Sequence[str]) -> str:
    return f"{first}/{rest}" if tail else first


def neither(words: Collection[str]) -> str:
    """Write an expression for one segment that is none of the words, however it is spelled.

    Where it is no longer the beginning of any, it may go on as it likes; until then nothing may be escaped.
    """
    firsts = sorted({word[0] for word in words if word})
    beyond = f"[^/%{''.join(map(_inside, firsts))}][^/]*"
    deeper = [paths.escaped(one) + _after([word[1:] for word in words if word[:1] == one]) for one in firsts]
    return f"(?:{'|'.join([beyond, *deeper])})"


def _after(rests: Sequence[str]) -> str:
    """Write what may follow the beginning of words: what makes none of them whole."""
    more = neither([rest for rest in rests if rest])
    return more if "" in rests else f"{more}?"


def _inside(character: str) -> str:
    return f"\\{character}" if character in _ODD else character
