"""A process that calls while its file fails it: `python -m tests.sharing.hardship`.

Arguments: the provider's address, its keys (with commas), the file, what is wrong with it (`full`:
no file may grow; `read-only`: another user's; `none`; `work`: calls until it is killed), blocking or
asyncio. Prints what became of twelve calls.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from freelm_integrations import FreeLLM, Groq, Limit

LIMITS = (Limit(1_000_000, per=86_400), Limit(1_000_000_000, "tokens"))
CALLS = 12
NOBODY = 65_534


class Heard(logging.Handler):
    """How many warnings there were."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        Heard.count += record.levelno >= logging.WARNING


def suffer(how: str, path: str) -> None:
    if how == "full":
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))
    elif how == "read-only":
        file = Path(path)
        if file.exists():
            file.chmod(0o444)
        file.parent.chmod(0o555)
        if os.geteuid() == 0:
            give_up_rights(file.parent.parent)


def give_up_rights(folder: Path) -> None:
    """Be nobody, who may still get to the file's folder."""
    for each in (folder, *folder.parents):
        if each in (Path(tempfile.gettempdir()), Path("/")):
            break
        each.chmod(0o755)
    os.setuid(NOBODY)


def import_all(provider: Groq) -> None:
    """Whoever gives up his rights may not be able to read the modules any more."""
    with tempfile.TemporaryDirectory() as folder:
        state = f"sqlite:///{folder}/state.db"
        with FreeLLM(providers=[provider], state=state, share=False, hedge=False) as client:
            client.chat("hi")
            client._dispatcher.place.homes.outbox.flush(5.0)
            client._dispatcher.place.homes.blocking.close()


async def at_once(client: FreeLLM) -> int:
    asked = client.to_async()
    answers = [await asked.chat("hi") for _ in range(CALLS)]
    await asked.close()
    return len(answers)


if __name__ == "__main__":
    base_url, keys, path, how, way = sys.argv[1:]
    logging.getLogger("freelm_integrations").addHandler(Heard())
    provider = Groq(
        keys.split(","), base_url=base_url, models=["openai/gpt-oss-120b"], limits=LIMITS
    )
    if how == "read-only":
        import_all(provider)
    suffer(how, path)
    with FreeLLM(
        providers=[provider], state=f"sqlite:///{path}", share=False, hedge=False
    ) as client:
        while how == "work":
            client.chat("hi")
            sys.stdout.write("answered\n")
            sys.stdout.flush()
        windows = [
            window
            for row in client.health()
            for window in row["windows"]
            if (window["unit"], window["per"]) == ("requests", 86_400)
        ]
        counted = sum(window["limit"] - window["remaining"] for window in windows)
        if way == "asyncio":
            answered = asyncio.run(at_once(client))
        else:
            answered = sum(bool(client.chat("hi").text) for _ in range(CALLS))
    done = {"answered": answered, "warnings": Heard.count, "counted": counted}
    sys.stdout.write(json.dumps(done))
