"""``shoal keys``: made once, listed without what opens anything, gone when they are revoked."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shoal.cli.program import main
from shoal.tokens import Signer, Verifier

Run = Callable[..., tuple[int, str, str]]

SYSTEM = """
from shoal import Consumer, Gateway, Service, System, scope

books = Service("books")

@books.get("/count", access=scope("count"))
async def count() -> int:
    return 1

system = System("keyed", services=[books], gateway=Gateway(consumers=(Consumer(name="partner-x", scopes=("count",)),)))
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the program in a folder with a system; returns exit code, output and error output."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "keyed.py").write_text(SYSTEM)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(tmp_path), "--system", "keyed:system", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield invoke
    sys.modules.pop("keyed", None)


def test_a_key_is_shown_once_and_kept_nowhere(run: Run, tmp_path: Path) -> None:
    code, key, told = run("keys", "create", "partner-x", "--days", "2")
    assert (code, key[:6]) == (0, "shoal_")
    file = tmp_path / ".shoal" / "secrets" / "consumer-keys.json"
    assert file.stat().st_mode & 0o077 == 0
    kept = file.read_text() + told
    assert key.strip() not in kept
    assert key.strip().rpartition(".")[2] not in kept
    assert '"d"' not in kept


def test_keys_are_listed_and_revoked_one_by_one(run: Run) -> None:
    assert run("keys", "list")[0] == 0
    for _ in range(2):
        run("keys", "create", "partner-x")
    first, second = json.loads(run("keys", "list", "--json")[1])
    assert first["consumer"] == second["consumer"] == "partner-x"
    assert run("keys", "revoke", first["id"])[0] == 0
    assert [key["id"] for key in json.loads(run("keys", "list", "--json")[1])] == [second["id"]]
    assert run("keys", "revoke", second["id"])[0] == 0
    assert json.loads(run("keys", "list", "--json")[1]) == []


def test_only_declared_consumers_get_keys_and_only_known_keys_are_revoked(run: Run) -> None:
    code, out, told = run("keys", "create", "partner-y")
    assert (code, out) == (1, "") or code == 2
    assert "partner-x" in told
    assert run("keys", "revoke", "nothing")[0] != 0


def test_the_key_of_an_environment_is_made_once_and_verifies_what_it_signs(run: Run, tmp_path: Path) -> None:
    code, files, told = run("keys", "issuer", "--out", "keys-of-production")
    folder = tmp_path.resolve() / "keys-of-production"
    assert code == 0
    assert [Path(file).resolve() for file in files.split()] == [folder / "signing-key.json", folder / "jwks.json"]
    private, public = (folder / name for name in ("signing-key.json", "jwks.json"))
    assert private.stat().st_mode & 0o077 == 0
    assert "version control" in told
    token = Signer(private.read_bytes(), issuer="i", audience="a").sign("ada", 1000.0, 60.0, {})
    assert Verifier(public.read_bytes(), issuer="i", audience="a").verify(token, 1010.0)["sub"] == "ada"
    before = private.read_bytes()
    code, _, told = run("keys", "issuer", "--out", "keys-of-production")
    assert code != 0
    assert "is there already" in told
    assert private.read_bytes() == before
