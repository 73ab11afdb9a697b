"""``shoal explain``: what a code of ``shoal check`` means."""

import difflib
import inspect
from typing import TYPE_CHECKING

import click

from shoal.cli.output import examples, output_option, print_json, print_table
from shoal.cli.program import OK

if TYPE_CHECKING:
    from shoal.check.rule import AnyRule

_EXAMPLES = examples(
    "shoal explain SH101",
    "shoal explain chain-too-long",
    "shoal explain SH3                               the rules whose codes begin so",
    "shoal explain",
    "shoal explain -o json",
)


@click.command("explain", epilog=_EXAMPLES)
@click.argument("code", default="")
@output_option
def command(code: str, output: str) -> int:
    """Show what a code means: what is looked for, why it hurts, a bad and a good system.

    Without a code, list all; with the beginning of some, those.
    """
    from shoal.check import page
    from shoal.check.told import TOLD
    from shoal.cli import checking

    rules = checking.rules()[0]
    if not code:
        _list(rules, output)
        return OK
    if code.upper() in TOLD:
        _tell(code.upper(), output)
        return OK
    rule = next((r for r in rules if code.upper() == r.code.upper() or code.lower() == r.name), None)
    if rule is None and (family := tuple(r for r in rules if r.code.upper().startswith(code.upper()))):
        _list(family, output)
        return OK
    if rule is None:
        raise _unknown(code, rules)
    if output == "json":
        print_json({**_row(rule), "page": inspect.cleandoc(rule.page or "")})
    else:
        click.echo(page.markdown(rule).rstrip())
    return OK


def _tell(code: str, output: str) -> None:
    """Show what a code of a plan means."""
    from shoal.check.told import TOLD

    if output == "json":
        print_json({"code": code, "summary": TOLD[code]})
    else:
        click.echo(f"{code}: {TOLD[code]}")


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


def _unknown(code: str, rules: "tuple[AnyRule, ...]") -> click.UsageError:
    from shoal.check.told import TOLD

    known = [*TOLD, *(word for rule in rules for word in (rule.code, rule.name))]
    close = difflib.get_close_matches(code, known, n=1, cutoff=0.8) or [word for word in known if code.lower() in word]
    return click.UsageError(
        f"there is no code {code!r}; "
        + (f"did you mean {' or '.join(close)}?" if close else "shoal explain lists them")
    )
