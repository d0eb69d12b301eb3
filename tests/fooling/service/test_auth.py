"""Tokens, logins and cookies."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from fooling.errors import FoolingError, InvalidError
from fooling.service.auth import LOGIN_SECONDS, SESSION_SECONDS, Access, read_or_make_token
from fooling.service.guard import Allowance
from fooling.service.settings import ServiceSettings
from tests.fooling.service.conftest import HOST, TOKEN, Service


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> Access:
    return Access(TOKEN, 8000, 5, clock)


def test_a_login_works_once_and_not_for_ever(access: Access, clock: Clock) -> None:
    """A failure lets whoever finds the link, in a history or over a shoulder, in as well."""
    code = access.new_login()
    cookie = access.spend(code)
    assert cookie is not None
    assert access.holds(cookie)
    assert access.spend(code) is None
    late = access.new_login()
    clock.now += LOGIN_SECONDS + 1
    assert access.spend(late) is None
    assert access.holds(cookie)
    clock.now += SESSION_SECONDS
    assert not access.holds(cookie)


@pytest.mark.parametrize("change", ["", "x", "9", "é", "\x00", "99999999999999.0123456789abcdef.00"])
def test_a_cookie_that_was_made_up(access: Access, change: str) -> None:
    """A failure lets in whoever writes a date into a cookie."""
    good = access.spend(access.new_login())
    assert good is not None
    until, nonce, signature = good.split(".")
    forged = [
        change,
        f"{good}{change}x",
        f"{int(until) + 1}.{nonce}.{signature}",
        f"{until}.{nonce}.",
        f".{signature}",
    ]
    assert not any(access.holds(each) for each in forged)
    assert not Access("u" * 43, 8000, 5).holds(good), "another token's cookie"


def test_wrong_tokens_lock_nobody_out(access: Access, clock: Clock) -> None:
    """A failure lets anybody on the machine keep the owner out by guessing."""
    for _ in range(6):
        assert not access.knows("Bearer wrong")
    assert access.beleaguered
    assert access.knows(f"Bearer {TOKEN}")
    clock.now += 61
    assert not access.beleaguered


def test_the_browser_gets_a_strict_cookie(service: Service) -> None:
    """A failure lets other sites send it, or a script read it."""
    url = urlsplit(service.app.state.context.login_url())
    browser = TestClient(
        service.app, base_url=HOST
    )  # entered, it would end the service of the others when it is left
    wrong = browser.get("/login?code=wrong", follow_redirects=False)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    answer = browser.get(f"{url.path}?{url.query}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    given = answer.headers["set-cookie"].lower()
    assert given.startswith("fooling_8000=")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in given.split(";")}
    assert browser.get(f"{url.path}?{url.query}", follow_redirects=False).status_code == 401
    assert browser.get("/api/v1/runs").status_code == 200
    # A cookie alone changes nothing: the browser has to say that the request comes from here.
    refused = browser.post("/api/v1/runs", json={"config": "nothing"})
    assert refused.status_code == 403
    for origin, status in (
        (HOST, 422),
        ("http://localhost:8000", 422),
        ("http://localhost:9000", 403),
        ("null", 403),
    ):
        answer = browser.post("/api/v1/runs", json={"config": "nothing"}, headers={"origin": origin})
        assert answer.status_code == status, origin
    assert browser.head(f"{url.path}?{url.query}").status_code == 405


def test_a_look_at_the_link_does_not_use_it_up(service: Service) -> None:
    """A failure lets a messenger that looks at links log in instead of the user."""
    path = service.app.state.context.login_url().removeprefix(HOST)
    assert service.stranger.head(path).status_code == 405
    assert service.stranger.get(path, follow_redirects=False).status_code == 303
    service.stranger.cookies.clear()


def test_a_new_login_needs_the_token(service: Service) -> None:
    """A failure gives everybody a link."""
    assert service.stranger.post("/api/v1/logins").status_code == 401
    answer = service.client.post("/api/v1/logins")
    assert answer.status_code == 201
    assert answer.json()["login"].startswith(f"{HOST}/login?code=")


def test_the_token_is_kept_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Ray's token was readable by everybody on the machine. A failure gives it to them."""
    path = tmp_path / ".fooling" / "token"
    token = read_or_make_token(path)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_token(path) == token
    path.chmod(0o644)
    renewed = read_or_make_token(path)
    assert renewed != token, "others may have read the old one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short")
    assert len(read_or_make_token(path)) >= 43


def test_a_token_elsewhere_is_not_read(tmp_path: Path) -> None:
    """A failure takes a token that somebody else has put there."""
    (tmp_path / "theirs").write_text("x" * 43)
    (tmp_path / "token").symlink_to(tmp_path / "theirs")
    with pytest.raises(FoolingError, match="token"):
        read_or_make_token(tmp_path / "token")


def test_two_servers_that_start_at_once_have_one_token(tmp_path: Path) -> None:
    """A failure gives one of them a token that stands in no file."""
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(read_or_make_token(tmp_path / "token")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_writes_are_rationed() -> None:
    """A failure lets a script fill the queue in a second."""
    clock = Clock()
    allowance = Allowance(2, 1.0, clock)
    assert [allowance.wait() > 0 for _ in range(3)] == [False, False, True]
    clock.now += 1
    assert allowance.wait() == 0


def settings(**given: object) -> ServiceSettings:
    return ServiceSettings(root=Path("/nowhere"), token=TOKEN, port=8000, **given)  # type: ignore[arg-type]


def test_which_hosts_and_origins_are_ours() -> None:
    """A failure answers a name that an attacker's DNS server points here."""
    assert settings().hosts == {"127.0.0.1:8000", "localhost:8000", "[::1]:8000"}
    assert settings(host="192.168.1.5").hosts == {"192.168.1.5:8000"}
    public = settings(public="https://fooling.example.org")
    assert "fooling.example.org" in public.hosts
    assert "https://fooling.example.org" in public.origins
    assert "http://fooling.example.org" not in public.origins
    assert TOKEN not in repr(public)
    for wrong in ("fooling.example.org", "https://a/b", "ftp://a", "https://"):
        with pytest.raises(InvalidError, match="--public"):
            settings(public=wrong)


def test_who_may_read_without_a_token() -> None:
    """A failure shows everything to the network because somebody forgot an option."""
    assert settings(read_only=True).open_to_readers
    assert not settings(read_only=True, host="0.0.0.0").open_to_readers
    assert not settings().open_to_readers
