"""One exchange over HTTP/1.1, told as replies, without ever waiting: what it needs, it yields."""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING

import h11
import httpx

from freelm_integrations.engine.sockets import Need, Origin, connect
from freelm_integrations.engine.steps import Broken, Chunk, End, Opened
from freelm_integrations.engine.transport import OK, Body, as_dict, headers_for, told, words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from typing import TypeAlias

    from freelm_integrations.engine.sockets import Connection, Stock, Waits
    from freelm_integrations.engine.steps import Attempt, Heard, Last

    Told: TypeAlias = Generator[Need | Heard, None, None]

_PORTS = {"http": 80, "https": 443}
_OF_THE_WIRE = (OSError, h11.ProtocolError, zlib.error)


def exchange(stock: Stock, attempt: Attempt) -> Told:
    """Replies, and between them needs; closing the generator closes the connection."""
    try:
        yield from _converse(stock, attempt)
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the machine re-raises what is no weather
        yield Broken(attempt, _shown(error))


def _shown(error: BaseException) -> BaseException:
    """The built-in error of the same meaning; a bug, without the frames that know the key."""
    if not isinstance(error, _OF_THE_WIRE):
        return error.with_traceback(None)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return type(error)(*error.args)
    return ConnectionError(words(error))


def _converse(stock: Stock, attempt: Attempt) -> Told:
    origin, host, target = _address(attempt.url)
    connection = stock.take(origin)
    if connection is None:
        connection = yield from connect(origin, attempt.connect_timeout)
    is_whole = False
    try:
        yield from connection.send(_request_for(attempt, connection.http, host, target))
        response = yield from _response(connection)
        headers = as_dict(response.headers.raw_items())
        status = response.status_code
        if attempt.is_streamed and status == OK:
            yield Opened(attempt, headers)
            last: Last = yield from _tell(connection, attempt, headers)
        else:
            last = told(attempt, status, headers, (yield from _body(connection, headers)))
        is_whole = True
    finally:
        if is_whole:
            stock.put(connection)
        else:
            connection.close()
    yield last  # with the connection back in the stock: nothing is left to do after it


def _request_for(attempt: Attempt, http: h11.Connection, host: str, target: bytes) -> bytes:
    body = attempt.body or b""
    request = h11.Request(
        method=attempt.method,
        target=target,
        headers=[
            ("host", host),
            *headers_for(attempt).items(),
            ("content-length", str(len(body))),
        ],
    )
    parts = [http.send(request), http.send(h11.Data(body)), http.send(h11.EndOfMessage())]
    return b"".join(part for part in parts if part)


def _response(connection: Connection) -> Waits[h11.Response]:
    while True:
        event = connection.http.next_event()
        if event is h11.NEED_DATA:
            yield from connection.receive()
        elif isinstance(event, h11.Response):
            return event
        elif not isinstance(event, h11.InformationalResponse):
            raise ConnectionError("the server did not answer in HTTP/1.1")


def _tell(
    connection: Connection, attempt: Attempt, headers: Mapping[str, str]
) -> Generator[Need | Heard, None, End]:
    """Tell a body as it is read."""
    unpack = _unpacker(headers.get("content-encoding", ""))
    while (data := (yield from _piece(connection))) is not None:
        if unpacked := unpack(data):
            yield Chunk(attempt, unpacked)
    return End(attempt)


def _body(connection: Connection, headers: Mapping[str, str]) -> Waits[Body]:
    unpack, body = _unpacker(headers.get("content-encoding", "")), Body()
    while (data := (yield from _piece(connection))) is not None:
        body.add(unpack(data))
    return body


def _piece(connection: Connection) -> Waits[bytes | None]:
    """The next bytes of the body; None at its end."""
    while True:
        event = connection.http.next_event()
        if event is h11.NEED_DATA:
            yield from connection.receive()
        elif isinstance(event, h11.Data):
            return bytes(event.data)
        else:
            return None


def _unpacker(encoding: str) -> Callable[[bytes], bytes]:
    """What undoes the one encoding we accept; ConnectionError for another."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return bytes
    if name in {"gzip", "x-gzip"}:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress
    raise ConnectionError(f"the answer is packed in a way we did not ask for: {name}")


@functools.lru_cache(maxsize=1024)
def _address(url: str) -> tuple[Origin, str, bytes]:
    """Whom to ask, as whom to address it, and for what."""
    parsed = httpx.URL(url)
    origin = Origin(
        parsed.scheme, parsed.raw_host.decode("ascii"), parsed.port or _PORTS[parsed.scheme]
    )
    return origin, parsed.netloc.decode("ascii"), parsed.raw_path
