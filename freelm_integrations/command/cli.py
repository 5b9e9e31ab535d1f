"""The command `freellm`: chat, demo, doctor, models, health, capacity.

Answers and tables go to standard output, everything else to standard error. The exit status is 0
only if it worked (of the doctor: if every key that was asked answered), 1 if not, 2 for a wrong
command line, 130 when interrupted.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from freelm_integrations.command import console
from freelm_integrations.command.commandline import parse
from freelm_integrations.command.console import note, say, write_json
from freelm_integrations.errors import FreeLLMError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["main"]

FAILED = 1
INTERRUPTED = 130
PATIENCE = 6.0
"""Seconds that who asks for every list anew waits for the slow ones: all is over within ten."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status. Never raises, never prints a traceback or a key.

    Raises:
        SystemExit: The command line is wrong (status 2), or asks for help (status 0).
    """
    console.prepare()
    options = parse(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = note
        return _guarded(_command(options.command), options)


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    return {
        "chat": _chat,
        "demo": _demo,
        "doctor": _doctor,
        "models": _models,
        "health": _health,
        "capacity": _capacity,
    }[name]


def _guarded(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        return run(options)
    except (FreeLLMError, ImportError) as error:
        say(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough: `| head`
        console.give_up_output()
    except OSError as error:
        console.give_up_output()
        say(f"reading or writing failed: {error.strerror or type(error).__name__}")
    except Exception as error:
        if os.environ.get("FREELM_DEBUG"):
            raise
        # Its text is not ours and could hold anything.
        name = type(error).__name__
        say(f"a bug of ours: {name}. FREELM_DEBUG=1 shows where; please report it.")
    return FAILED


def _chat(options: argparse.Namespace) -> int:
    from freelm_integrations.command.asking import ask, read_question  # noqa: PLC0415 - only who calls pays

    question = read_question(options.prompt)
    ask(question, model=options.model, stream=options.stream, as_json=options.json)
    return 0


def _demo(options: argparse.Namespace) -> int:
    from freelm_integrations.demo.run import run_demo  # noqa: PLC0415 - loads the frameworks

    return run_demo(json=options.json)


def _doctor(options: argparse.Namespace) -> int:
    from freelm_integrations.command.doctor import examine  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.rendering import findings_text  # noqa: PLC0415

    findings = [finding.to_dict() for finding in examine()]
    asked = [row["works"] for row in findings if row["works"] is not None]
    has_key = any(row["models"] is not None for row in findings)
    if options.json:
        write_json(findings)
    elif has_key:
        console.write(findings_text(findings, console.width()))
    if not has_key:
        return _no_keys()
    return 0 if asked and all(asked) else FAILED


def _models(options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.command.mending import no_key_of  # noqa: PLC0415
    from freelm_integrations.command.selection import select  # noqa: PLC0415
    from freelm_integrations.rendering import model_rows  # noqa: PLC0415

    is_wide = options.all or options.paid
    with FreeLLM(
        allow_training=True if is_wide else None, free_only=False if is_wide else None
    ) as client:
        found = client.refresh_models(timeout=PATIENCE) if options.refresh else client.models()
        lists = {row["provider"]: row for row in client.model_lists()}
    if not lists:
        return _no_keys()
    if not found:
        say("the settings leave no model: see FREELM_ALLOW_TRAINING and FREELM_<NAME>_MODELS")
        return FAILED
    for name in options.provider or ():
        if name not in lists:
            say(no_key_of(name))
            return FAILED
    chosen = select(
        [model.to_dict() for model in found],
        providers=options.provider or (),
        tags=options.tag or (),
        family=options.family,
        paid=options.paid,
    )
    for row in lists.values():
        if row["trouble"] is not None and row["provider"] in (options.provider or lists):
            say(f"{row['provider']}: its live list could not be had: {row['trouble']}")
    rows = [{**model, "age": lists[model["provider"]]["age"]} for model in chosen]
    return _show(rows, model_rows(chosen, lists), options)


def _health(options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.rendering import health_rows  # noqa: PLC0415

    with FreeLLM() as client:
        client.models()  # lists that are due are asked for, as a call would: how they are is told
        rows = client.health()
    return _show(rows, health_rows(rows), options)


def _capacity(options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.rendering import capacity_rows  # noqa: PLC0415

    with FreeLLM() as client:
        client.models()
        rows, has_key = client.capacity(), bool(client.health())
    if has_key and not rows:
        say("no limit is known of any of your providers")
        return _show(rows, [], options) and 0
    return _show(rows, capacity_rows(rows), options)


def _show(
    rows: Sequence[Mapping[str, Any]],
    shown: Sequence[Mapping[str, str]],
    options: argparse.Namespace,
) -> int:
    from freelm_integrations.rendering import NUMBERS, SPARE  # noqa: PLC0415
    from freelm_integrations.table import table_text  # noqa: PLC0415

    if options.json:
        write_json(list(rows))
    elif shown:
        headings = [name for name in shown[0] if any(row[name] for row in shown)]
        cells = [[row[name] for name in headings] for row in shown]
        console.write(
            table_text(headings, cells, width=console.width(), right=NUMBERS, spare=SPARE)
        )
    return 0 if rows else _no_keys()


def _no_keys() -> int:
    from freelm_integrations.settings import no_key_message  # noqa: PLC0415 - only who calls pays

    say(no_key_message())
    return FAILED
