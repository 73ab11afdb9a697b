"""All forms of a report."""

from collections.abc import Callable, Mapping

from shoal.check.formats import concise, full, github, json, junit, sarif
from shoal.check.formats.page import Shown

Format = Callable[[Shown], str]

FORMATS: Mapping[str, Format] = {
    "full": full.spell,
    "concise": concise.spell,
    "json": json.spell,
    "sarif": sarif.spell,
    "github": github.spell,
    "junit": junit.spell,
}
