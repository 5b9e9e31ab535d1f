"""The command line of `freellm`: its words, and what a wrong one is answered."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, NoReturn

from freelm_integrations.nearest import unknown
from freelm_integrations.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    # It has no other name.
    Commands: TypeAlias = argparse._SubParsersAction["_Parser"]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

__all__ = ["parse"]

_OPTION = re.compile(r"--[a-z]+")
_ENDING = (
    "Keys come from the environment: freellm doctor tells which are found, and where to get others."
)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the words (None: those of this process) ask for; `command` is the command's name.

    Raises:
        SystemExit: They are wrong (status 2; what is said names the nearest valid word), or ask for
            help or the version (status 0).
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    parser, commands = _parsers()
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in commands.choices:
        parser.error(unknown("command", name, commands.choices))
    options, extra = parser.parse_known_args(words)
    if extra:
        _refuse(commands.choices[options.command], extra)
    return options


class _Parser(argparse.ArgumentParser):
    """One whose complaints are a line, and another that says where help is."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}\n(try: {self.prog} --help)\n")
        sys.exit(2)


def _refuse(command: argparse.ArgumentParser, extra: Sequence[str]) -> NoReturn:
    wrong = next((word for word in extra if word.startswith("-")), None)
    if wrong is None:
        command.error("too many words: a question goes into quotes")
    valid = dict.fromkeys(_OPTION.findall(command.format_help()))
    command.error(unknown("option", wrong.partition("=")[0], valid))


def _parsers() -> tuple[_Parser, Commands]:
    parser = _Parser(
        prog="freellm",
        description="Language models on free tiers, with failover between them.",
        epilog=_ENDING,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="command", dest="command", parser_class=_Parser
    )
    _add_chat(commands)
    _command(commands, "demo", "watch failover at work, without any key")
    _command(
        commands,
        "doctor",
        "try every key: what works, and how to mend the rest",
        "One tiny request a key, all at once, in ten seconds at most; and what has changed in the "
        "providers' model lists. The exit status is 0 if every key that was asked answered.",
    )
    _add_models(commands)
    _command(commands, "health", "how every key and its provider's model list stand")
    _command(commands, "capacity", "what is left of every allowance")
    return parser, commands


def _add_chat(commands: Commands) -> None:
    chat = _command(commands, "chat", "ask one question")
    chat.add_argument("prompt", nargs="?", help="the question; - or none in a pipe: standard input")
    chat.add_argument(
        "--model", metavar="NAME", help="alias, tag, family or id; several with commas, in order"
    )
    chat.add_argument("--stream", action="store_true", help="print the answer as it comes")


def _add_models(commands: Commands) -> None:
    models = _command(commands, "models", "what may be called now")
    models.add_argument(
        "--provider",
        metavar="NAME",
        action="append",
        type=_provider,
        help="only of this one; may be repeated",
    )
    models.add_argument(
        "--tag",
        metavar="TAG",
        action="append",
        type=str.casefold,
        help="only with this one: fast, large, tools, vision, ...; with all, if repeated",
    )
    models.add_argument("--family", metavar="NAME", help="only these weights, whoever serves them")
    models.add_argument(
        "--all", action="store_true", help="also what costs money or the settings rule out"
    )
    models.add_argument("--paid", action="store_true", help="only what costs money")
    models.add_argument("--refresh", action="store_true", help="ask for every list anew")


def _command(
    commands: Commands, name: str, summary: str, description: str | None = None
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=summary, description=description or summary, allow_abbrev=False
    )
    command.add_argument("--json", action="store_true", help="print JSON, for programs")
    return command


def _provider(name: str) -> str:
    from freelm_integrations.providers.choice import CLASSES  # noqa: PLC0415 - few ask

    if name.casefold() not in CLASSES:
        raise argparse.ArgumentTypeError(unknown("provider", name, CLASSES))
    return name.casefold()
