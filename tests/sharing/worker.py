"""One of several processes that call through one place: `python -m tests.sharing.worker`.

Arguments: the provider's address, its keys (with commas), the state, how many calls, blocking or
asyncio. Prints how many were answered.
"""

from __future__ import annotations

import asyncio
import sys

from freelm_integrations import FreeLLM, Groq, Limit, NoRouteAnswered

LIMITS = (Limit(20, "requests", per=60), Limit(100_000, "tokens", per=60))


async def at_once(client: FreeLLM, calls: int) -> int:
    asked = client.to_async()
    answers = await asyncio.gather(
        *(asked.chat("hi") for _ in range(calls)), return_exceptions=True
    )
    await asked.close()
    return sum(not isinstance(answer, NoRouteAnswered) for answer in answers)


def one_by_one(client: FreeLLM, calls: int) -> int:
    return sum(is_answered(client) for _ in range(calls))


def is_answered(client: FreeLLM) -> bool:
    try:
        client.chat("hi")
    except NoRouteAnswered:
        return False
    return True


if __name__ == "__main__":
    base_url, keys, state, calls, way = sys.argv[1:]
    provider = Groq(
        keys.split(","), base_url=base_url, models=["openai/gpt-oss-120b"], limits=LIMITS
    )
    with FreeLLM(providers=[provider], state=state, hedge=False) as client:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        if way == "asyncio":
            answered = asyncio.run(at_once(client, int(calls)))
        else:
            answered = one_by_one(client, int(calls))
    sys.stdout.write(f"{answered}\n")
