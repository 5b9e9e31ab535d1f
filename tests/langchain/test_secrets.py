"""Keys are nowhere to be seen: not in what is printed, saved, traced, raised or told."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd

from freelm_integrations import Groq
from freelm_integrations.langchain import ChatFreeLLM

if TYPE_CHECKING:
    from freelm_integrations.lab import Lab

KEY = "gsk_" + "s3cret" * 8


def every_face(llm: ChatFreeLLM) -> dict[str, str]:
    """All that can be had of a model without calling it."""
    return {
        "repr": repr(llm),
        "str": str(llm),
        "saved": str(dumpd(llm)),
        "traced": str(llm._get_invocation_params()) + str(llm._get_ls_params()),
        "cached": llm._get_llm_string(),
        "identifying": str(llm._identifying_params),
        "dumped": str(llm.model_dump()) + llm.model_dump_json(),
        "pickled": pickle.dumps(llm).decode("latin-1"),
        "engine": repr(llm.engine),
        "profile": repr(llm.profile),
        "bound": repr(llm.bind_tools([]).with_retry()),
    }


@pytest.mark.parametrize(
    "llm",
    [
        ChatFreeLLM(api_key=KEY),
        ChatFreeLLM(api_key=[KEY]),
        ChatFreeLLM(providers=[Groq(KEY)]),
        ChatFreeLLM(providers=Groq(KEY)),
    ],
    ids=["one key", "a list", "a provider in a list", "a provider"],
)
def test_no_face_of_a_model_shows_a_key(llm: ChatFreeLLM) -> None:
    """Nor a part of it."""
    shown = [name for name, text in every_face(llm).items() if "s3cret" in text]

    assert shown == []


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.told.append((args, kwargs))

    def on_custom_event(self, *args: Any, **kwargs: Any) -> None:
        self.told.append((args, kwargs))

    def on_retry(self, *args: Any, **kwargs: Any) -> None:
        self.told.append((args, kwargs, repr(vars(args[0]))))

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.told.append((args, kwargs))


@pytest.mark.parametrize("streams", [False, True])
def test_a_failed_call_shows_no_key(
    lab: Lab, caplog: pytest.LogCaptureFixture, streams: bool
) -> None:
    """In its error, the chain behind it, the locals' reprs, the events and the log."""
    caplog.set_level(logging.DEBUG)
    for provider in lab:
        provider.fail("unauthorized", times=None)
    keys = [key for provider in lab for key in provider.keys]
    recorder = Recorder()
    llm = ChatFreeLLM(callbacks=[recorder])

    with pytest.raises(Exception, match="groq") as caught:
        list(llm.stream("hi")) if streams else llm.invoke("hi")

    error = caught.value
    shown = "".join(traceback.TracebackException.from_exception(error).format())
    seen = [shown, repr(error), repr(vars(error)), repr(recorder.told), caplog.text]
    assert not [key for key in keys for text in seen if key in text]
    assert recorder.told
