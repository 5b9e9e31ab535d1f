"""Limits are really enforced, and told in each provider's own way. Time stands still but for the test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from freelm_integrations.lab import Lab, LabLimit
from freelm_integrations.lab.limits import Meter

if TYPE_CHECKING:
    from tests.lab.asking import Asker, MovableClock

FIRST_REFUSED = [
    # provider, requests served, what the refusal says
    ("openrouter", 20, "free-models-per-min"),
    ("google", 15, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
    ("nim", 40, '{"status":429,"title":"Too Many Requests"}'),
    ("groq", 30, "requests per minute (RPM): Limit 30, Used 30, Requested 1"),
    ("mistral", 60, '"code":"1300"'),
]


@pytest.mark.parametrize(("name", "served", "holds"), FIRST_REFUSED)
def test_the_minute_s_requests_run_out(
    limited: Lab, ask: Asker, name: str, served: int, holds: str
):
    """So many are served and the next is refused."""
    replies = [ask.post(limited[name], max_tokens=20) for _ in range(served + 1)]

    assert [reply.status_code for reply in replies] == [200] * served + [429]
    assert holds in replies[-1].text


def test_cerebras_holds_tokens_for_an_answer_that_names_no_length(limited: Lab, ask: Asker):
    """16,384 each: of two at once the second does not fit, a capped one does."""
    cerebras = limited["cerebras"]
    cerebras.fail("stall", after=1)
    with ask.opened(cerebras) as first:
        chunks = first.iter_raw()
        next(chunks)
        second = ask.post(cerebras)
        third = ask.post(cerebras, max_completion_tokens=50)

    assert (second.status_code, second.json()["code"]) == (429, "token_quota_exceeded")
    assert third.status_code == 200


def test_tokens_held_are_given_back_when_the_answer_is_shorter(limited: Lab, ask: Asker):
    """Three in a row fit although 16,384 are held for each."""
    assert [ask.post(limited["cerebras"]).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("name", ["groq", "cerebras", "mistral"])
def test_headers_tell_what_is_left(limited: Lab, ask: Asker, name: str):
    """Each answer leaves one less."""
    suffix = {"groq": "requests", "cerebras": "requests-minute", "mistral": "req-minute"}[name]
    left = [
        int(ask.post(limited[name]).headers[f"x-ratelimit-remaining-{suffix}"]) for _ in range(2)
    ]

    assert left[0] - left[1] == 1


@pytest.mark.parametrize(
    ("left", "told"), [(998.9999999, 999), (999.0, 999), (998.99, 998), (0.2, 0), (-3.5, 0)]
)
def test_whole_units_are_told_whatever_floats_make_of_them(left: float, told: int):
    """A hair less than 999 is 999; a hundredth less is not, and a debt is nothing."""
    meter = Meter(LabLimit(1000, "requests", 86_400), at=50.0)
    meter.left = left

    assert meter.whole_room(50.0) == told


def test_a_moment_read_before_the_last_count_takes_nothing_away():
    """Two threads may read the clock in one order and count in the other."""
    meter = Meter(LabLimit(10, "requests", 10), at=50.0)
    meter.take(1, 52.0)
    meter.take(1, 51.0)

    assert meter.room(52.0) == 8.0
    assert meter.room(51.0) == 8.0
    assert meter.room(53.0) == 9.0


@pytest.mark.parametrize("name", ["openrouter", "google", "nim"])
def test_some_tell_nothing(limited: Lab, ask: Asker, name: str):
    """No header of an answer speaks of limits."""
    names = set(ask.post(limited[name]).headers)

    assert not [one for one in names if "limit" in one or "retry" in one]


def test_groq_prints_go_durations(limited: Lab, ask: Asker):
    """One request of a thousand a day is given back in 86.4 seconds."""
    headers = ask.post(limited["groq"]).headers

    assert headers["x-ratelimit-reset-requests"] == "1m26.4s"
    assert re.fullmatch(r"\d+ms", headers["x-ratelimit-reset-tokens"])


def test_groq_refuses_for_good_what_is_larger_than_the_minute(limited: Lab, ask: Asker):
    """413, with the numbers in the text."""
    reply = ask.post(limited["groq"], max_completion_tokens=9_000)

    assert reply.status_code == 413
    assert re.search(r"\(TPM\): Limit 8000, Requested 90\d\d", reply.text)


def test_the_wait_that_is_told_is_the_wait(limited: Lab, ask: Asker, clock: MovableClock):
    """Just before it nothing is served, just after it one request is."""
    groq = limited["groq"]
    groq.limit("requests", 2)
    replies = [ask.post(groq) for _ in range(3)]
    clock.seconds += int(replies[-1].headers["retry-after"]) - 1
    early = ask.post(groq)
    clock.seconds += 2

    assert replies[-1].headers["retry-after"] == "30"
    assert early.status_code == 429
    assert [ask.post(groq).status_code for _ in range(2)] == [200, 429]


def test_openrouter_s_day_is_the_utc_day(limited: Lab, ask: Asker, clock: MovableClock):
    """The reset is an epoch in milliseconds, at midnight, and then there is room again."""
    openrouter = limited["openrouter"]
    openrouter.limit("requests", 1000)
    openrouter.limit("requests", 1, per=86_400)
    ask.post(openrouter)
    refused = ask.post(openrouter)
    resets_at = int(refused.headers["X-RateLimit-Reset"])

    assert "free-models-per-day" in refused.text
    assert refused.json()["error"]["metadata"]["headers"]["X-RateLimit-Limit"] == "1"
    assert resets_at > 1_700_000_000_000
    clock.seconds += 86_401
    assert ask.post(openrouter).status_code == 200


def test_google_says_a_misleading_delay_for_a_spent_day(limited: Lab, ask: Asker):
    """PerDay in the quota's name, seconds in the delay."""
    google = limited["google"]
    google.limit("requests", 1, per=86_400)
    ask.post(google)
    details = ask.post(google).json()[0]["error"]["details"]

    assert "PerDay" in details[0]["violations"][0]["quotaId"]
    assert details[0]["violations"][0]["quotaValue"] == "1"
    assert details[2]["retryDelay"] == "22.38s"


def test_an_allowance_of_zero_says_that_the_model_is_not_on_the_plan(limited: Lab, ask: Asker):
    """Mistral tells it in a header, Google in its text."""
    limited["mistral"].limit("requests", 0, model="mistral-small-latest")
    limited["google"].limit("requests", 0, model="gemini-3.8-flash")
    mistral = ask.post(limited["mistral"], model="mistral-small-latest")
    google = ask.post(limited["google"], model="gemini-3.8-flash")

    assert (mistral.status_code, mistral.headers["x-ratelimit-limit-req-minute"]) == (429, "0")
    assert (google.status_code, "limit: 0" in google.text) == (429, True)
    assert ask.post(limited["mistral"]).status_code == 200


@pytest.mark.parametrize(
    ("name", "model", "status"),
    [
        ("groq", "openai/gpt-oss-20b", 200),
        ("openrouter", "liquid/lfm-2.5-2.6b:free", 429),
    ],
)
def test_limits_are_kept_per_model_or_for_all(
    limited: Lab, ask: Asker, name: str, model: str, status: int
):
    """At OpenRouter all free models share one allowance."""
    for _ in range(31):
        ask.post(limited[name])

    assert ask.post(limited[name], model=model).status_code == status


def test_keys_have_accounts_of_their_own_unless_they_share_one(
    limited: Lab, ask: Asker, clock: MovableClock
):
    """With shared accounts a second key buys nothing."""
    with Lab(words="plain", keys_each=2, accounts="shared", clock=clock) as shared:
        for running in (limited, shared):
            running["groq"].limit("requests", 1)
            ask.post(running["groq"])

        statuses = [
            ask.post(running["groq"], key=running["groq"].keys[1]).status_code
            for running in (limited, shared)
        ]

    assert statuses == [200, 429]


def test_the_key_page_of_openrouter_counts_the_day(limited: Lab, ask: Asker):
    """And asking for it costs nothing."""
    ask.post(limited["openrouter"])
    ask.get(limited["openrouter"], "/key")
    data = ask.get(limited["openrouter"], "/key").json()["data"]

    assert data["free_model_daily_requests"] == {"limit": 50, "used": 1, "remaining": 49}


def test_without_limits_nothing_runs_out(lab: Lab, ask: Asker):
    """And no header speaks of them."""
    replies = [ask.post(lab["cerebras"]) for _ in range(8)]

    assert {reply.status_code for reply in replies} == {200}
    assert "x-ratelimit-limit-requests-minute" not in replies[0].headers


def test_a_limit_of_a_lab_without_limits_is_the_only_one(ask: Asker):
    """Neither the provider's own nor those of its models come back."""
    with Lab(providers=["groq"], words="plain", limits=False) as lab:
        lab["groq"].limit("requests", 500)
        models = ("openai/gpt-oss-20b", "groq/compound-mini")
        replies = [ask.post(lab["groq"], model=model) for model in models for _ in range(40)]

    assert {reply.status_code for reply in replies} == {200}
    assert "x-ratelimit-limit-tokens" not in replies[-1].headers


def test_openrouter_tells_what_is_left_of_a_key(limited: Lab, ask: Asker):
    """For nothing: being asked is not counted, and who has no key is told nothing."""
    openrouter = limited["openrouter"]
    before = ask.get(openrouter, "/key").json()["data"]["free_model_daily_requests"]
    for _ in range(3):
        ask.post(openrouter, max_tokens=20)
    told = [ask.get(openrouter, "/key").json()["data"] for _ in range(5)][-1]
    without = ask.http.get(openrouter.base_url + "/key")

    assert before == {"limit": 50, "used": 0, "remaining": 50}
    assert told["free_model_daily_requests"] == {"limit": 50, "used": 3, "remaining": 47}
    assert told["is_free_tier"] is True
    assert without.status_code == 401


def test_what_is_told_of_a_key_follows_its_allowance(limited: Lab, ask: Asker):
    """A thousand a day, for who has ever bought credit; and a revoked key is refused there too."""
    openrouter = limited["openrouter"]
    openrouter.limit("requests", 1000, per=86_400)
    ask.post(openrouter, max_tokens=20)
    told = ask.get(openrouter, "/key").json()["data"]
    openrouter.fail("unauthorized", path="key")
    refused = ask.get(openrouter, "/key")

    assert told["free_model_daily_requests"] == {"limit": 1000, "used": 1, "remaining": 999}
    assert told["is_free_tier"] is False
    assert refused.status_code == 401
