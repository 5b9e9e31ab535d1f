"""Tables of calls, for a terminal or a notebook: tried, failed, rested, answered. Needs rich.

    screen = Screen()
    llm = ChatFreeLLM(on_event=screen)
    with screen.section("A call"):
        for piece in llm.stream("Hello"):
            screen.write(piece.text)
    print_summary(screen.timeline)
    print_models(llm.models())

On a terminal each section is one table that is redrawn in place, with the text below it; in a pipe,
in a notebook or on a dumb terminal it is one line an event, and no control codes. Where another
route carried a text on, the text has a mark on a terminal, and is broken by the events elsewhere.
"""

from freelm_integrations.display.consoles import make_console
from freelm_integrations.display.screen import Screen
from freelm_integrations.display.tables import (
    attempts_table,
    print_capacity,
    print_health,
    print_models,
    print_summary,
    print_table,
)
from freelm_integrations.timeline import Timeline

__all__ = [
    "Screen",
    "Timeline",
    "attempts_table",
    "make_console",
    "print_capacity",
    "print_health",
    "print_models",
    "print_summary",
    "print_table",
]
