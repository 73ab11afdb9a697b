"""What is printed is read back by Bicep's grammar as what was meant; nothing in a text becomes an expression."""

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.bicep.printer import document, quoted
from shoal.deploy.bicep.values import Declaration, Keyed, Module, Noted, Output, Parameter, Raw, Resource, Text, Value

WHOLE = """\
// What it is.

@description('Kept.')
@secure()
param passwords object = {
  a: 'b'
}

// Why it is there.
@onlyIfNotExists()
resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'x-${mark}'
  'odd-name': [
    1
    json('0.25')
    null
  ]
  // Because.
  closed: true
  who: {
    '${identity.id}': {}
  }
}

module more 'more.bicep' = {
  params: {
    location: location
  }
  dependsOn: [
    vault
  ]
}

output where string = vault.name
"""


def test_a_file_is_written_as_people_would_write_it() -> None:
    body: dict[str, Value] = {
        "name": Text(("x-", Raw("mark"))),
        "odd-name": [1, 0.25, None],
        "closed": Noted(value=True, why="Because."),
        "who": Keyed(Raw("identity.id"), {}),
    }
    declared: list[Declaration] = [
        Parameter(name="passwords", kind="object", default={"a": "b"}, secure=True, why="Kept."),
        Resource(
            symbol="vault",
            kind="Microsoft.KeyVault/vaults@2024-11-01",
            body=body,
            once=True,
            notes=("Why it is there.",),
        ),
        Module(symbol="more", path="more.bicep", params={"location": Raw("location")}, after=("vault",)),
        Output(name="where", value=Raw("vault.name")),
    ]
    assert document(declared, head=("What it is.",)) == WHOLE


def test_the_end_of_a_text_begins_no_expression() -> None:
    written = document([Output(name="a", value=Text(("$", Raw("b"), "$", "{c}")))])
    assert written == "output a string = '\\$${b}\\${c}'\n"


@given(st.text())
def test_text_is_text(text: str) -> None:
    written = quoted(text)
    assert not re.search(r"(?<!\\)\$\{", written.replace("\\\\", ""))
    assert "\n" not in written
    inside = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: f"\\U{int(found[1], 16):08x}", written[1:-1])
    assert ast.literal_eval(f"'{inside.replace(chr(92) + '${', '${')}'") == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        document([Output(name="a", value=value)])
