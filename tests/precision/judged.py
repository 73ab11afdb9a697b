"""What was found in systems of others, each finding judged by hand: the data, and the page that is written from it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

DATA = Path(__file__).parents[2] / "docs/reference/precision.json"
PAGE = DATA.with_suffix(".md")

Verdict = Literal["true", "debatable", "false", ""]
"""Empty where nobody has judged yet."""


_JOINED = ("SH101", "SH102", "SH107", "SH201", "SH308")
"""Rules that follow names through several places."""


class Judged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One finding."""

    code: str
    place: str
    message: str
    verdict: Verdict = ""
    reason: str = ""


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One system of others, in one version."""

    name: str
    """Of the folder in which it lies, too."""
    source: str
    """The repository."""
    commit: str
    files: tuple[str, ...]
    """What is checked, from the folder of the repository."""
    services: int = 0
    findings: tuple[Judged, ...] = ()


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    day: str
    """On which it was found; what ends is found on one day and not on another."""
    systems: tuple[Example, ...]


def read() -> Data:
    """Read the file."""
    return msgspec.json.decode(DATA.read_bytes(), type=Data)


def write(data: Data) -> None:
    """Write the file."""
    DATA.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")


def page(data: Data) -> str:
    """Write the page."""
    every = [(system, finding) for system in data.systems for finding in system.findings]
    found = [finding for _, finding in every]
    joined = [finding for finding in found if finding.code in _JOINED]
    parts = [
        _INTRODUCTION.format(
            count=len(every),
            systems=len(data.systems),
            day=data.day,
            share=_share(found),
            joined=", ".join(_JOINED),
            told=sum(finding.verdict == "true" for finding in joined),
            of=len(joined),
        )
    ]
    parts += ["## By system", _table(data)]
    parts += ["## By rule", _by_rule(found)]
    for verdict, title in (("false", "## What is wrong"), ("debatable", "## What can be argued about")):
        lines = [
            f"- **{s.name}**, {f.code} at `{f.place}`: {f.message}. *{f.reason}*"
            for s, f in every
            if f.verdict == verdict
        ]
        parts += [title, "\n".join(lines) or "Nothing."]
    return "\n\n".join([*parts, _REST]) + "\n"


def _line(system: Example, finding: Judged) -> str:
    return f"- **{system.name}**, {finding.code} at `{finding.place}`: {finding.message}. *{finding.reason}*"


def _share(findings: Sequence[Judged]) -> str:
    """Say how much of what was found is so and worth acting on."""
    return f"{sum(f.verdict == 'true' for f in findings) / len(findings) * 100:.0f} %" if findings else "–"


def _table(data: Data) -> str:
    rows = [
        "| System | Version | Services | Findings | True | Debatable | False | Precision |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for system in data.systems:
        counted = Counter(finding.verdict for finding in system.findings)
        files = ", ".join(f"`{file}`" for file in system.files[:2]) + (", ..." if len(system.files) > 2 else "")
        rows.append(
            f"| **{system.name}** ([source]({system.source})): {files} | `{system.commit[:10]}` | {system.services}"
            f" | {len(system.findings)} | {counted['true']} | {counted['debatable']} | {counted['false']}"
            f" | {_share(system.findings)} |"
        )
    return "\n".join(rows)


def _by_rule(findings: Sequence[Judged]) -> str:
    rows = ["| Rule | Findings | True | Debatable | False | Precision |", "|---|---|---|---|---|---|"]
    for code in sorted({finding.code for finding in findings}):
        own = [finding for finding in findings if finding.code == code]
        counted = Counter(finding.verdict for finding in own)
        rows.append(
            f"| [{code}](../rules/{code}.md) | {len(own)} | {counted['true']} | {counted['debatable']}"
            f" | {counted['false']} | {_share(own)} |"
        )
    return "\n".join(rows)


_INTRODUCTION = """\
# How often the check is right

`shoal check` was asked about {systems} sets of files of well-known systems that were not written with Shoal: Compose,
Kubernetes, OpenAPI and AsyncAPI, as they lie in their repositories. Each of its {count} findings was read beside the
lines that it is about: **{share} are right and worth acting on**. Most of them say what stands, or does not stand, at
one place. Of those that put several places together ({joined}) {told} of {of} are.

- **True**: it is so, and somebody who runs the system in earnest should do something about it.
- **Debatable**: it is so, and there are good reasons to leave it.
- **False**: it is not so.

These are demonstrations, meant to be started quickly on one machine, and many of the weaknesses are there for that. A
finding is judged as if somebody ran these files in earnest. One person judged; the data have the reason for each
([precision.json](precision.json)). Precision is the share of findings that are true: what is debatable counts against
it. What ends is judged by the day of the run, {day}."""

_REST = """\
## What is not found

Files of deployments do not tell what stands in code. In the Social Network, Bookinfo and Train Ticket callers know
their callees by names in the source, so nothing is known of chains there; the same holds for databases that are named
in code. A default of a variable (`${PASSWORD:-...}`) is let pass, since somebody may set it, and so is what stands in
`.env`, which may not be in the repository. Which rules were not asked, and what they would need, `shoal -v check`
lists.

## Repeat it

The files are other people's and are not here. Bring each repository to the version above, in a folder called after the
system up to the first comma, in small letters with hyphens (`online-boutique`, `sock-shop`), and compare:

```text
$ python -m tests.precision FOLDER
```

It says what is found now and was not judged, and what was judged and is no longer found. `--write` takes both into
`docs/reference/precision.json`; each finding gets its verdict there by hand, and this page is written from it:
`SHOAL_UPDATE_GOLDEN=1 pytest tests/docs/test_precision.py`."""
