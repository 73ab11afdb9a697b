"""What a service finds by words: indexes over its records."""

import re
from typing import Literal

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.data import Data

FieldKind = Literal["text", "keyword", "integer", "number", "time", "date"]

_WEST = ("basque", "catalan", "dutch", "english", "french", "german", "irish", "italian", "portuguese", "spanish")
_NORTH = ("danish", "estonian", "finnish", "lithuanian", "norwegian", "swedish")
_EAST = ("arabic", "armenian", "greek", "hindi", "hungarian", "indonesian", "romanian", "russian", "serbian", "turkish")

LANGUAGES = frozenset({"simple", *_WEST, *_NORTH, *_EAST})
"""Those that both PostgreSQL 18 and OpenSearch 2 know, so that an index can move; ``simple`` takes no endings off."""

MOST_WEIGHTS = 4
"""Different weights of one index: PostgreSQL tells four classes of words apart."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class IndexField(Data, frozen=True, kw_only=True):
    """One field of an index."""

    name: str
    kind: FieldKind
    weight: float = 1.0


class SearchIndex(Data, frozen=True, kw_only=True):
    """An index over the records of one type."""

    name: str
    record: str
    """Table of the records."""
    fields: tuple[IndexField, ...]
    language: str = "simple"
    suggest: str = ""
    """The text that is suggested to who begins to type; empty when none is."""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what some engine would not take."""
        weights = {field.weight for field in self.fields if field.kind == "text"}
        problem, hint = "", ""
        if not _NAME.fullmatch(self.name):
            problem, hint = "has no name that every engine takes", "use lower-case letters, digits and '_', at most 40"
        elif not weights:
            problem, hint = "has no text to search", "mark a field: name: Annotated[str, FullText()]"
        elif len(weights) > MOST_WEIGHTS or min(weights) <= 0:
            problem, hint = "has weights that not every engine can tell apart", "use at most four, greater than 0"
        elif self.language not in LANGUAGES:
            problem = f"is in {self.language!r}, which not every engine knows"
            hint = f"choose one of: {', '.join(sorted(LANGUAGES))}"
        if problem:
            raise DeclarationError(f"index {self.name!r} {problem}", hint=hint, where=self.source)


class SearchUse(Data, frozen=True, kw_only=True):
    """Where a service's indexes are."""

    engine: str = "postgres-search"
    indexes: tuple[SearchIndex, ...] = ()
    production: str = ""
    """Engine that it is meant for, where that is another one than on a laptop."""
    why: str = ""
    """Why that engine suits it."""

    def __post_init__(self) -> None:
        """Refuse engines that nobody knows, and names twice."""
        for engine in filter(None, (self.engine, self.production)):
            catalog.engine(engine, kind="search")
        names = [index.name for index in self.indexes]
        for index in self.indexes:
            if names.count(index.name) > 1:
                raise DeclarationError(
                    f"two indexes are called {index.name}", hint="rename one of them", where=index.source
                )


class SearchPlan(Data, frozen=True, kw_only=True):
    """Where the indexes of a service are on a target."""

    engine: str
    database: str = ""
    """Database that they share with the service's store, or have for themselves when that is elsewhere."""
    role: str = ""
