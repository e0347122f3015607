"""Terminals in a worker: interactive programs, such as a shell."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, AsyncIterator, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from anyio import sleep

from .._errors import ManagerError, NotFoundError
from .._policy import RECONNECT_SECONDS, is_temporary, path_of, pause_before
from .._terminals import OnData, OnResize, TerminalEnd, connect_options, refusal_of, websocket_url
from ..types import Terminal
from .transport import AsyncTransport

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


class AsyncTerminalView:
    """A view of a terminal. Iterate over it for the bytes that the terminal shows, until its program ends.

    A broken connection is opened again while it is iterated; the bytes after that draw the whole screen.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        path: str,
        pty_id: str,
        *,
        size: Optional[Tuple[int, int]],
        on_resize: Optional[OnResize],
    ) -> None:
        self._transport = transport
        self._path = path
        self._size = size
        self._on_resize = on_resize
        self._connections = AsyncExitStack()
        self._connection: Optional[ClientConnection] = None
        self.pty_id = pty_id
        #: How the program ended; None until then.
        self.end: Optional[TerminalEnd] = None

    async def send_input(self, data: Union[str, bytes]) -> None:
        """Type this. Lost if the connection is just broken."""
        await self._send(data.encode() if isinstance(data, str) else data)

    async def resize(self, cols: int, rows: int) -> None:
        """Change the size of this viewer's window; a terminal is as large as its smallest viewer."""
        self._size = (cols, rows)
        await self._send(json.dumps({"resize": {"cols": cols, "rows": rows}}))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        from websockets.exceptions import ConnectionClosed

        while self.end is None:
            connection = self._connection or await self._reconnect()
            try:
                async for message in connection:
                    if isinstance(message, bytes):
                        yield message
                    else:
                        self._receive(json.loads(message))
            except ConnectionClosed:
                pass
            self._connection = None

    async def wait(self, on_data: Optional[OnData] = None) -> TerminalEnd:
        """Wait for the end of the program. Raises ``NotFoundError`` if the terminal is gone, and ``UnavailableError`` if
        the manager does not come back in time; the program runs on then.
        """
        async for data in self:
            if on_data is not None:
                on_data(data)
        assert self.end is not None
        return self.end

    async def open(self) -> None:
        """Connect once; ``connect`` has done that."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake

        url = websocket_url(self._transport.url + self._path, self.pty_id, self._size)
        # Its own context: newer versions warn without one.
        await self._connections.aclose()
        try:
            connection = await connect(url, **connect_options(url, self._transport.headers))
        except (OSError, InvalidHandshake) as cause:
            raise refusal_of(cause, self._transport.url) from cause
        await self._connections.enter_async_context(connection)
        self._connection = connection

    async def aclose(self) -> None:
        """Leave the terminal, whose program runs on."""
        await self._connections.aclose()

    async def _reconnect(self) -> ClientConnection:
        began, attempt = monotonic(), 0
        while True:
            try:
                await self.open()
                assert self._connection is not None
                return self._connection
            except ManagerError as error:
                pause = pause_before(attempt, error)
                if not is_temporary(error) or monotonic() + pause > began + RECONNECT_SECONDS:
                    raise
            attempt += 1
            await sleep(pause)

    async def _send(self, data: Union[str, bytes]) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            if self._connection is not None:
                await self._connection.send(data)
        except ConnectionClosed:
            pass

    def _receive(self, frame: Dict[str, Any]) -> None:
        if "resize" in frame and self._on_resize is not None:
            self._on_resize(frame["resize"]["cols"], frame["resize"]["rows"])
        if "exit" in frame:
            self.end = TerminalEnd(frame["exit"]["exit_code"], frame["exit"]["signal"])


class AsyncPty:
    """The terminals of one worker. To view them takes the extra ``worker-manager[terminal]``."""

    def __init__(self, transport: AsyncTransport, worker_id: str) -> None:
        self._transport = transport
        self._worker_id = worker_id

    async def create(
        self,
        command: Optional[Sequence[str]] = None,
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        cols: int = 80,
        rows: int = 24,
        linger_seconds: Optional[float] = None,
    ) -> Terminal:
        """Open a terminal with a program and its arguments, by default a shell. It runs until its program ends.

        It is closed when it had no viewers for ``linger_seconds``, by default ten minutes.
        """
        given = {"command": command and list(command), "cwd": cwd, "env": env, "linger_seconds": linger_seconds}
        body = {name: value for name, value in given.items() if value is not None}
        info: Terminal = await self._transport.request_once(
            "POST", self._path("ptys"), body={**body, "cols": cols, "rows": rows}
        )
        return info

    @asynccontextmanager
    async def connect(
        self,
        pty_id: str,
        *,
        cols: Optional[int] = None,
        rows: Optional[int] = None,
        on_resize: Optional[OnResize] = None,
    ) -> AsyncIterator[AsyncTerminalView]:
        """View a terminal within a block; its program runs on after it.

        The first viewer gets all output, a later one first the bytes that draw the screen. ``on_resize`` is called with the
        columns and rows of the terminal when they change, before the bytes that are drawn for them.
        """
        size = None if cols is None or rows is None else (cols, rows)
        view = AsyncTerminalView(self._transport, self._path("pty"), pty_id, size=size, on_resize=on_resize)
        await view.open()
        try:
            yield view
        finally:
            await view.aclose()

    async def list(self) -> List[Terminal]:
        """The terminals whose program runs, and the last ones that have ended."""
        answer = await self._transport.request("GET", self._path("ptys"))
        items: List[Terminal] = answer["items"]
        return items

    async def kill(self, pty_id: str) -> bool:
        """Kill the program of a terminal with all its children; return whether there was one."""
        try:
            await self._transport.request_once("DELETE", self._path("ptys", pty_id))
            return True
        except NotFoundError:
            return False

    def _path(self, *parts: str) -> str:
        return path_of("workers", self._worker_id, *parts)
