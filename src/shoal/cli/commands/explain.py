"""``shoal explain``: what a code of ``shoal check`` means."""

import difflib
import inspect
from typing import TYPE_CHECKING

import click

from shoal.cli.output import examples, output_option, print_json, print_table
from shoal.cli.program import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shoal.check.rule import AnyRule

_EXAMPLES = examples(
    "shoal explain SH101",
    "shoal explain chain-too-long",
    "shoal explain SH3                               the rules whose codes begin so",
    "shoal explain DEPLOY-AWS-12                     what shoal deploy has said",
    "shoal explain",
    "shoal explain -o json",
)


@click.command("explain", epilog=_EXAMPLES)
@click.argument("code", default="")
@output_option
def command(code: str, output: str) -> int:
    """Show what a code means: what is looked for, why it hurts, a bad and a good system.

    Without a code, list the rules; with the beginning of some codes, those. What a plan says (PLAN-...), and what shoal
    deploy says of a target (DEPLOY-...), is known, too.
    """
    from shoal.check import page
    from shoal.cli.checking.rules import every

    rules, told = every()[0], _told()
    if not code:
        _list(rules, output)
        return OK
    if code.upper() in told:
        _tell(code.upper(), told[code.upper()], output)
        return OK
    rule = next((r for r in rules if code.upper() == r.code.upper() or code.lower() == r.name), None)
    if rule is None and (family := tuple(r for r in rules if r.code.upper().startswith(code.upper()))):
        _list(family, output)
        return OK
    if rule is None and (begun := {c: text for c, text in told.items() if c.startswith(code.upper())}):
        _list_told(begun, output)
        return OK
    if rule is None:
        raise _unknown(code, rules, told)
    if output == "json":
        print_json({**_row(rule), "page": inspect.cleandoc(rule.page or "")})
    else:
        click.echo(page.markdown(rule).rstrip())
    return OK


def _told() -> dict[str, str]:
    """Return what is no rule's: what a plan says, and what `shoal deploy` says of a target."""
    from shoal.check.told import TOLD
    from shoal.deploy import told

    return {**TOLD, **told.TOLD}


def _tell(code: str, text: str, output: str) -> None:
    """Show what a code means that is no rule's."""
    if output == "json":
        print_json({"code": code, "summary": text})
    else:
        click.echo(f"{code}: {text}")


def _list_told(told: "Mapping[str, str]", output: str) -> None:
    if output == "json":
        print_json([{"code": code, "summary": text} for code, text in sorted(told.items())])
    else:
        print_table(("CODE", "WHAT IT SAYS"), sorted(told.items()))


def _list(rules: "tuple[AnyRule, ...]", output: str) -> None:
    if output == "json":
        print_json([_row(rule) for rule in rules])
        return
    rows = [(r.code, r.name, r.severity, r.family, r.summary) for r in sorted(rules, key=lambda r: r.code)]
    print_table(("CODE", "NAME", "SEVERITY", "ABOUT", "WHAT IS WRONG"), rows)


def _row(rule: "AnyRule") -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "family": rule.family,
        "summary": rule.summary,
        "needs": sorted(rule.needs),
        "fixable": rule.fixable,
        "enabled": rule.enabled,
    }


def _unknown(code: str, rules: "tuple[AnyRule, ...]", told: "Mapping[str, str]") -> click.UsageError:
    """Say which code may be meant: one that is spelled alike, a name with that word, or others of its kind."""
    spelt = {word.upper(): word for word in [*told, *(word for rule in rules for word in (rule.code, rule.name))]}
    numbered = code.upper().startswith("SH") and code[2:].isdigit()  # another number is another rule
    close = [] if numbered else difflib.get_close_matches(code.upper(), spelt, n=1, cutoff=0.8)
    close = [spelt[word] for word in close] or [word for word in spelt.values() if code.lower() in word]
    close = close or [word for word in spelt.values() if code.upper().startswith(word)]  # with a digit too many
    hint = f"did you mean {' or '.join(close)}?" if close else f"shoal explain {_kind(code, spelt)}lists them"
    return click.UsageError(f"there is no code {code!r}; {hint}")


def _kind(code: str, known: "Iterable[str]") -> str:
    """Return the beginning of a code with which others begin, as far as that is a word: ``SH9`` has none."""
    begun = [code.upper()[:length] for length in range(len(code), 2, -1)]
    return next((f"{word} " for word in begun if any(one.startswith(word) for one in known)), "")
