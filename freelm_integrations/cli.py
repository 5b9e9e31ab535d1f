"""The command `freellm`: chat, demo, doctor, models, health, capacity.

Answers and tables go to standard output, everything else to standard error. The exit status is 0
only if it worked, 1 if not, 2 for a wrong command line, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from freelm_integrations.clock import SYSTEM_CLOCK
from freelm_integrations.errors import FreeLLMError
from freelm_integrations.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freelm_integrations.chat import Completion

__all__ = ["main"]

_FAILED = 1
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status. Never raises, never prints a traceback or a key."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may lack letters a model has
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _note
        return _guarded(options.run, options)


def _guarded(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        return run(options)
    except (FreeLLMError, ImportError) as error:
        _say(str(error))
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except Exception as error:
        if os.environ.get("FREELM_DEBUG"):
            raise
        # Its text is not ours and could hold anything.
        _say(
            f"a bug of ours: {type(error).__name__}. FREELM_DEBUG=1 shows where; please report it."
        )
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="freellm", description="Language models on free tiers, with failover between them."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(title="commands", required=True, metavar="command")
    chat = _command(commands, "chat", _chat, "ask one question")
    chat.add_argument("prompt", help="the question; - reads it from standard input")
    chat.add_argument("--model", help="alias, tag, family or id; several with commas, in order")
    chat.add_argument("--stream", action="store_true", help="print the answer as it comes")
    _command(commands, "demo", _demo, "watch failover at work, without any key")
    _command(commands, "doctor", _doctor, "try every key: what works, and how to mend the rest")
    _command(commands, "models", _models, "what may be called now")
    _command(commands, "health", _health, "the state of every key")
    _command(commands, "capacity", _capacity, "what is left of every allowance")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    command.add_argument("--json", action="store_true", help="print JSON, for programs")
    command.set_defaults(run=run)
    return command


def _chat(options: argparse.Namespace) -> int:
    prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
    return (_chat_streamed if options.stream else _chat_whole)(prompt, options)


def _chat_whole(prompt: str, options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays

    with FreeLLM() as client:
        answer = client.chat(prompt, model=options.model)
    if options.json:
        _print_json(_described(answer))
    else:
        print(answer.text)  # noqa: T201
        _credit(answer)
    return 0


def _chat_streamed(prompt: str, options: argparse.Namespace) -> int:
    """Print the pieces as they come; with --json a line each, the last one tells who answered."""
    from freelm_integrations.chat import Folding  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415

    folding, began_at = Folding(), SYSTEM_CLOCK.now()
    with FreeLLM() as client, client.stream_deltas(prompt, model=options.model) as deltas:
        for delta in deltas:
            folding.add(delta)
            if delta.text:
                _write(json.dumps({"text": delta.text}) + "\n" if options.json else delta.text)
    answer = folding.completion(latency_ms=(SYSTEM_CLOCK.now() - began_at) * 1000)
    if options.json:
        _write(json.dumps({"done": _described(answer)}) + "\n")
    else:
        _write("\n")
        _credit(answer)
    return 0


def _described(answer: Completion) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "finish_reason": answer.finish_reason,
        "provider": answer.provider,
        "model": answer.model,
        "key": answer.key,
        "integrity": answer.integrity,
        "latency_ms": round(answer.latency_ms),
        "usage": None if answer.usage is None else asdict(answer.usage),
        "attempts": [attempt.to_dict() for attempt in answer.attempts],
    }


def _credit(answer: Completion) -> None:
    """Say who answered, to a person only."""
    if sys.stderr.isatty():
        tries = len(answer.attempts)
        after = "" if tries <= 1 else f", attempt {tries}"
        print(f"({answer.provider} {answer.model}{after})", file=sys.stderr)  # noqa: T201


def _demo(options: argparse.Namespace) -> int:
    from freelm_integrations.demo.run import run_demo  # noqa: PLC0415 - loads the frameworks

    return run_demo(json=options.json)


def _doctor(options: argparse.Namespace) -> int:
    from freelm_integrations.doctor import examine  # noqa: PLC0415 - only who calls pays

    findings = examine()
    if options.json:
        _print_json([finding.to_dict() for finding in findings])
    else:
        _write("".join(f"{finding}\n" for finding in findings))
    asked = [finding.works for finding in findings if finding.works is not None]
    return 0 if asked and all(asked) else _FAILED


def _models(options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.display import print_models  # noqa: PLC0415

    with FreeLLM() as client:
        models, keys = client.models(), client.health()
    if keys and not models:
        _say("the settings leave no model: see FREELM_ALLOW_TRAINING and FREELM_<NAME>_MODELS")
        return _FAILED
    return _show([model.to_dict() for model in models], options, lambda: print_models(models))


def _health(options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.display import print_health  # noqa: PLC0415

    with FreeLLM() as client:
        rows = client.health()
    return _show(rows, options, lambda: print_health(rows))


def _capacity(options: argparse.Namespace) -> int:
    from freelm_integrations.client import FreeLLM  # noqa: PLC0415 - only who calls pays
    from freelm_integrations.display import print_capacity  # noqa: PLC0415

    with FreeLLM() as client:
        rows = client.capacity()
    return _show(rows, options, lambda: print_capacity(rows))


def _show(
    rows: Sequence[Mapping[str, Any]], options: argparse.Namespace, table: Callable[[], None]
) -> int:
    if options.json:
        _print_json(list(rows))
    elif rows:
        table()
    return 0 if rows else _no_keys()


def _no_keys() -> int:
    from freelm_integrations.settings import no_key_message  # noqa: PLC0415 - only who calls pays

    _say(no_key_message())
    return _FAILED


def _print_json(value: object) -> None:
    _write(json.dumps(value, indent=2, default=str) + "\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _say(text: str) -> None:
    print(f"freellm: {text}", file=sys.stderr)  # noqa: T201


def _note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"note: {message}", file=sys.stderr)  # noqa: T201
