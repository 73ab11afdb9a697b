"""Variables become files, where a platform hands out no others."""

from pathlib import Path

import pytest

from shoal.errors import SettingsError
from shoal.runtime.unpacking import unpack


def test_variables_become_files_and_again(tmp_path: Path) -> None:
    for text in ('{"keys": []}', "other"):
        unpack(tmp_path / "files", ["jwks.json=KEYS"], {"KEYS": text})
        assert (tmp_path / "files" / "jwks.json").read_text("utf-8") == text


@pytest.mark.parametrize("file", ["jwks.json", "../x=KEYS", "a/b=KEYS", "=KEYS", "x=OTHER"])
def test_what_names_no_file_or_no_variable_is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(SettingsError):
        unpack(tmp_path, [file], {"KEYS": "x"})
