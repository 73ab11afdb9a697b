"""Mistakes with personal fields; each line that says so must be flagged."""

import msgspec

from shoal import Personal, personal, record


@record("people", key="person_id")
class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person."""

    person_id: str
    name: Personal[str]
    born: Personal[int | None] = None


found = Person(person_id="p1", name=b"Ada")  # expect-error
year: int = found.born  # expect-error
letters: bytes = found.name  # expect-error
mark = personal(lookup=True)  # expect-error
number: int = found.name  # expect-error
text: str = found.born  # expect-error
found.name.decode()  # expect-error
found.born + 1  # expect-error
nobody = Person(person_id="p1")  # expect-error
numbered = Person(person_id="p1", name=1)  # expect-error
born = Person(person_id="p1", name="Ada", born="1815")  # expect-error
unspelled = personal(spelled="casefold")  # expect-error
whose = personal(of=Person)  # expect-error
