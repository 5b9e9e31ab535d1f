"""Which base URLs are accepted, and what a refusal says."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freelm_integrations.errors import ConfigError
from freelm_integrations.providers.address import checked_base_url, is_private, join, place_of


@pytest.mark.parametrize(
    "url",
    [
        "https://api.groq.com/openai/v1",
        "https://203.0.113.9:8443/v1",
        "http://localhost:11434/v1",
        "http://LOCALHOST/v1",
        "http://lab.localhost:1/v1",
        "http://127.0.0.1:8080/v1",
        "http://127.9.9.9/v1",
        "http://0.0.0.0:8080/v1",
        "http://10.1.2.3/v1",
        "http://172.16.0.1/v1",
        "http://172.31.255.255/v1",
        "http://192.168.0.7:1234/v1",
        "http://169.254.1.1/v1",
        "http://[::1]:8080/v1",
        "http://[fd12::1]/v1",
        "http://[fe80::1]/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://ollama:11434/v1",
        "http://my_box-2/v1",
        "http://nas.local/v1",
        "http://host.docker.internal:11434/v1",
        "http://pi.home.arpa/v1",
    ],
)
def test_a_url_nobody_can_listen_in_on_is_taken(url: str) -> None:
    """https anywhere, http on this machine and network, judged by the name alone."""
    assert checked_base_url(url, owner="groq") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.groq.com/openai/v1",
        "http://8.8.8.8/v1",
        "http://172.15.0.1/v1",
        "http://172.32.0.1/v1",
        "http://192.169.0.1/v1",
        "http://[2001:4860:4860::8888]/v1",
        "http://[::ffff:8.8.8.8]/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://example.com./v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://127.1/v1",
        "http://0177.0.0.1/v1",
    ],
)
def test_plain_http_to_where_strangers_listen_is_refused(url: str) -> None:
    """Public names and addresses, and numbers that only look private, need https."""
    with pytest.raises(ConfigError, match="https://"):
        checked_base_url(url, owner="groq")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begin with http"),
        ("api.groq.com/v1", "begin with http"),
        ("ftp://localhost/v1", "begin with http"),
        ("file:///etc/passwd", "begin with http"),
        ("https://", "names no host"),
        ("https:///v1", "names no host"),
        ("https://user@host.example/v1", "user or password"),
        ("https://user:hunter2@host.example/v1", "user or password"),
        ("http://localhost\\@evil.example/v1", "user or password"),
        ("http://evil.example\\.localhost/v1", "names no host"),
        ("https://host.example/v1?key=hunter2", "query or fragment"),
        ("https://host.example/v1#hunter2", "query or fragment"),
        ("https://host.example/v1?", "query or fragment"),
        ("https://host.example:port/v1", "is no URL"),
        ("https://host.example:99999/v1", "is no URL"),
        ("http://[::1/v1", "is no URL"),
        ("https://host.example/v 1", "outside ASCII"),
        ("https://hóst.example/v1", "outside ASCII"),
        ("https://host.example/v1\r\nX: y", "outside ASCII"),
    ],
)
def test_what_is_no_base_url_is_refused_and_its_secrets_are_not_shown(url: str, why: str) -> None:
    """The message says what is wrong with it, and to which provider it belongs."""
    with pytest.raises(ConfigError, match=why) as caught:
        checked_base_url(url, owner="groq")

    assert "groq" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_space_around_and_slashes_after_are_dropped() -> None:
    """Paths are appended to it."""
    assert checked_base_url("  https://x.example/v1// ", owner="x") == "https://x.example/v1"


def test_a_place_is_host_port_and_path() -> None:
    """It tells the lab's providers apart, which share a host."""
    assert place_of("http://127.0.0.1:99/groq/v1") == "127.0.0.1:99/groq/v1"


@given(st.ip_addresses())
def test_no_public_address_is_private(address: object) -> None:
    """Never more than what the standard library calls private."""
    if is_private(str(address)):
        found = ip_address(str(address))
        mapped = getattr(found, "ipv4_mapped", None)
        assert (mapped or found).is_private or (mapped or found).is_link_local


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused_with_our_error(text: str) -> None:
    """No other exception, whatever is written there."""
    try:
        taken = checked_base_url(text, owner="x")
    except ConfigError:
        return
    assert taken.startswith(("http://", "https://"))
    assert not taken.endswith("/")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/models", "https://one.example/a/v1/models"),
        ("/../models/search?n=1", "https://one.example/a/models/search?n=1"),
        ("/../../public/models", "https://one.example/public/models"),
        ("/../../../../models", "https://one.example/models"),
    ],
)
def test_a_path_goes_on_from_the_base_url(path: str, expected: str) -> None:
    """Up too, though never to another host."""
    assert join("https://one.example/a/v1", path) == expected
    assert join("http://127.0.0.1:9", "/../models") == "http://127.0.0.1:9/models"
