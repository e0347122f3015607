"""Terminals in a worker: interactive programs, such as a shell."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, AsyncIterator, Dict, List, Mapping, Optional, Sequence, Union

from .._errors import NotFoundError, UnavailableError
from .._policy import path_of
from .._terminals import OnData, TerminalEnd, connect_options, refusal_of, websocket_url
from ..types import Terminal
from .transport import AsyncTransport

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


class AsyncTerminalView:
    """One connection to a terminal. Iterate over it for the bytes that the terminal shows, until its program ends."""

    def __init__(self, connection: ClientConnection, pty_id: str) -> None:
        self._connection = connection
        self.pty_id = pty_id
        #: How the program ended; None until then.
        self.end: Optional[TerminalEnd] = None

    async def send_input(self, data: Union[str, bytes]) -> None:
        """Type this."""
        await self._connection.send(data.encode() if isinstance(data, str) else data)

    async def resize(self, cols: int, rows: int) -> None:
        """Change the size of this viewer's window; a terminal is as large as its smallest viewer."""
        await self._connection.send(json.dumps({"resize": {"cols": cols, "rows": rows}}))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for message in self._connection:
            if isinstance(message, bytes):
                yield message
                continue
            frame: Dict[str, Any] = json.loads(message)
            if "exit" in frame:
                self.end = TerminalEnd(frame["exit"]["exit_code"], frame["exit"]["signal"])

    async def wait(self, on_data: Optional[OnData] = None) -> TerminalEnd:
        """Wait for the end of the program. Raises ``UnavailableError`` if the connection is cut before; it runs on then."""
        async for data in self:
            if on_data is not None:
                on_data(data)
        if self.end is None:
            raise UnavailableError("The connection to the terminal was cut; connect again.", code="unavailable")
        return self.end


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
        self, pty_id: str, *, cols: Optional[int] = None, rows: Optional[int] = None
    ) -> AsyncIterator[AsyncTerminalView]:
        """View a terminal within a block; its program runs on after it.

        The first viewer gets all output, a later one first the bytes that draw the screen.
        """
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidHandshake

        url = websocket_url(self._transport.url + self._path("pty"), pty_id, cols, rows)
        try:
            connection = await connect(url, **connect_options(url, self._transport.headers))
        except (OSError, InvalidHandshake) as cause:
            raise refusal_of(cause, self._transport.url) from cause
        try:
            # Its own block: newer versions warn without one.
            async with connection:
                yield AsyncTerminalView(connection, pty_id)
        except ConnectionClosed as cause:
            raise UnavailableError("The connection to the terminal was cut.", code="unavailable") from cause

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
