"""Certificates live for a day and are replaced after half of it, by an authority that outlives the run."""

import asyncio
import contextlib
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace

from shoal.local import identities
from shoal.local.layout import Layout, layout_of
from shoal.mesh.layout import Layout as MeshLayout
from shoal.mesh.layout import layout_for
from shoal.model.plan import Plan
from tests.mesh.samples import TINY, planned

HOUR = 3600.0
NOW = 1_800_000_000.0
PLAN = planned(TINY)


@dataclass(frozen=True)
class Place:
    plan: Plan
    layout: Layout
    mesh: MeshLayout

    def ensure(self, now: float) -> bool:
        return identities.ensure(self.layout.secrets, self.plan, self.mesh, now=now)

    def certificate(self, holder: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate(Path(self.mesh.certificate(holder)).read_bytes())

    def trust(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(Path(self.mesh.trust()).read_bytes())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    layout = layout_of(tmp_path)
    layout.secrets.mkdir(parents=True)
    return Place(PLAN, layout, layout_for(PLAN, root=str(tmp_path / "mesh"), sockets="/s"))


def test_everyone_gets_one_that_is_good_for_a_day(place: Place) -> None:
    assert place.ensure(NOW)
    for holder in place.mesh.holders:
        leaf = place.certificate(holder)
        leaf.verify_directly_issued_by(place.trust())
        assert leaf.not_valid_after_utc == dt.datetime.fromtimestamp(NOW + 24 * HOUR, dt.UTC)


def test_it_is_replaced_after_half_of_its_time_and_not_before(place: Place) -> None:
    place.ensure(NOW)
    trust, first = place.trust(), place.certificate("orders")
    assert not place.ensure(NOW + 11 * HOUR)
    assert place.certificate("orders") == first
    assert place.ensure(NOW + 13 * HOUR)
    assert place.trust() == trust, "the authority stays, so that old and new certificates are believed together"
    second = place.certificate("orders")
    assert second.serial_number != first.serial_number
    assert second.public_key() != first.public_key()
    second.verify_directly_issued_by(trust)


def test_the_authority_is_replaced_only_when_a_run_could_outlive_it(place: Place) -> None:
    place.ensure(NOW)
    trust = place.trust()
    place.ensure(NOW + 300 * 24 * HOUR)
    assert place.trust() == trust
    place.ensure(NOW + 306 * 24 * HOUR)
    assert place.trust() != trust
    place.certificate("gateway").verify_directly_issued_by(place.trust())


def test_key_and_certificate_change_in_one_step(place: Place) -> None:
    """The same link leads to both, so that no reader finds one without the other."""
    place.ensure(NOW)
    place.ensure(NOW + 13 * HOUR)
    paths = [Path(place.mesh.certificate("orders")), Path(place.mesh.key("orders"))]
    home = paths[0].parent
    assert {path.readlink().parent for path in paths} == {Path("..data")}
    assert sorted(p.name for p in home.iterdir()) == sorted(
        ["..data", (home / "..data").readlink().name, "certificate.pem", "key.pem"]
    ), "nothing of the old version is left"
    assert paths[1].stat().st_mode & 0o077 == 0
    key = serialization.load_pem_private_key(paths[1].read_bytes(), password=None)
    assert key.public_key() == place.certificate("orders").public_key()


def test_files_of_an_older_release_become_links(place: Place) -> None:
    path = Path(place.mesh.certificate("orders"))
    path.parent.mkdir(parents=True)
    path.write_text("old")
    place.ensure(NOW)
    assert path.is_symlink()
    place.certificate("orders").verify_directly_issued_by(place.trust())


@pytest.mark.parametrize("lost", ["certificate", "key", "authority", "note", "trust"])
def test_what_is_lost_is_made_again(place: Place, lost: str) -> None:
    place.ensure(NOW)
    files = {
        "certificate": Path(place.mesh.certificate("orders")),
        "key": Path(place.mesh.key("orders")),
        "authority": place.layout.secrets / "authority-key.pem",
        "note": place.layout.secrets / "identities.json",
        "trust": Path(place.mesh.trust()),
    }
    files[lost].unlink()
    assert place.ensure(NOW + 1)
    place.certificate("orders").verify_directly_issued_by(place.trust())


def test_another_system_gets_an_authority_of_its_own(place: Place) -> None:
    place.ensure(NOW)
    trust = place.trust()
    assert identities.ensure(place.layout.secrets, planned(replace(TINY, name="other")), place.mesh, now=NOW)
    assert place.trust() != trust


async def test_the_keeper_issues_and_says_so_and_survives_a_full_disk(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "PAUSE", 0)
    monkeypatch.setattr(identities, "LIFETIME", -1.0)  # always due
    said: list[str] = []
    enough = asyncio.Event()

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            enough.set()

    places: list[Place | None] = [None, Place(PLAN, layout_of(Path("/dev/null/nowhere")), place.mesh), place, place]
    task = asyncio.create_task(identities.keep(lambda: places.pop(0) if places else None, say))
    async with asyncio.timeout(20):
        await enough.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [text.partition(",")[0] for text in said] == ["no new certificates", *["new certificates for everyone"] * 2]
