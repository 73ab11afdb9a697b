import json
from pathlib import Path
from typing import Any

from shop.legacy.application import Application


def ask(application: Application, method: str, path: str) -> tuple[str, Any]:
    told: list[str] = []
    body = application({"REQUEST_METHOD": method, "PATH_INFO": path}, lambda status, _: told.append(status))
    return told[0], json.loads(b"".join(body))


def test_coupons_are_known(tmp_path: Path) -> None:
    old = Application(tmp_path)
    assert ask(old, "GET", "/coupons/SPRING10")[1]["percent"] == 10
    assert ask(old, "GET", "/coupons/NOTHING") == ("404 Not Found", {"error": "no coupon NOTHING"})


def test_what_is_redeemed_is_kept(tmp_path: Path) -> None:
    assert ask(Application(tmp_path), "POST", "/coupons/SPRING10/redemptions")[0] == "201 Created"
    assert (tmp_path / "redeemed.jsonl").read_text("utf-8") == '{"code": "SPRING10"}\n'
