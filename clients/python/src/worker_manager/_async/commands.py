"""Commands in a worker, beside its agent."""

from __future__ import annotations

from time import monotonic
from typing import (
    Any,
    AsyncGenerator,
    Dict,
    List,
    Literal,
    Mapping,
    Optional,
    Sequence,
    Union,
    overload,
)

import httpx
from anyio import sleep

from .._commands import CUT, CUT_RUN, CommandOutput, CommandResult, OnOutput, command_request
from .._errors import InternalError, ManagerError, NotFoundError, UnavailableError
from .._policy import RECONNECT_SECONDS, SILENCE_SECONDS, Param, is_temporary, path_of, pause_before
from .._sse import ServerEvent, SseDecoder
from ..types import Process
from .closing import aclosing
from .transport import AsyncTransport


class _Cut(UnavailableError):
    """A connection that was open was cut before the command ended."""


class AsyncCommand:
    """A command in the background."""

    def __init__(self, commands: AsyncCommands, process_id: str) -> None:
        self._commands = commands
        self.process_id = process_id

    async def wait(
        self, *, on_stdout: Optional[OnOutput] = None, on_stderr: Optional[OnOutput] = None
    ) -> CommandResult:
        """Wait for its end, with its output from the beginning as far as it is kept. Survives lost connections."""
        return await self._commands.wait(self.process_id, on_stdout=on_stdout, on_stderr=on_stderr)

    async def send_stdin(self, data: Union[str, bytes], *, close: bool = False) -> None:
        """Write to its input, which it must have open (``stdin=True``); with ``close``, the input ends after it."""
        await self._commands.send_stdin(self.process_id, data, close=close)

    async def kill(self) -> bool:
        """Kill it with all its children; return whether there was something to kill."""
        return await self._commands.kill(self.process_id)


class AsyncCommands:
    """The commands of one worker."""

    def __init__(self, transport: AsyncTransport, worker_id: str) -> None:
        self._transport = transport
        self._worker_id = worker_id

    @overload
    async def run(
        self,
        command: Union[str, Sequence[str]],
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Union[str, bytes, None] = None,
        timeout: Optional[float] = None,
        on_stdout: Optional[OnOutput] = None,
        on_stderr: Optional[OnOutput] = None,
        background: Literal[False] = False,
    ) -> CommandResult: ...

    @overload
    async def run(
        self,
        command: Union[str, Sequence[str]],
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Union[str, bytes, bool, None] = None,
        timeout: Optional[float] = None,
        background: Literal[True],
    ) -> AsyncCommand: ...

    async def run(
        self,
        command: Union[str, Sequence[str]],
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Union[str, bytes, bool, None] = None,
        timeout: Optional[float] = None,
        on_stdout: Optional[OnOutput] = None,
        on_stderr: Optional[OnOutput] = None,
        background: bool = False,
    ) -> Union[CommandResult, AsyncCommand]:
        """Run a command line of ``/bin/sh``, or a list of program and arguments, and wait for its end.

        ``timeout`` is in seconds. Raises ``UnavailableError`` if the connection is cut before the end; the command ends
        then. With ``background``, return as soon as it runs; ``stdin=True`` then keeps its input open for ``send_stdin``.
        """
        body = command_request(command, cwd, env, stdin, timeout)
        path = self._path("exec")
        if not background:
            try:
                return await self._read("POST", path, {}, body, CommandOutput(on_stdout, on_stderr))
            except _Cut as cause:
                raise UnavailableError(CUT_RUN, code="unavailable") from cause
        info = await self._transport.request_once("POST", path, body={**body, "detach": True})
        return AsyncCommand(self, info["process_id"])

    async def list(self) -> List[Process]:
        """The processes that clients have started: those that run, and the last ones in the background that have ended."""
        answer = await self._transport.request("GET", self._path("processes"))
        items: List[Process] = answer["items"]
        return items

    def connect(self, process_id: str) -> AsyncCommand:
        """A command in the background that was started before."""
        return AsyncCommand(self, process_id)

    async def wait(
        self, process_id: str, *, on_stdout: Optional[OnOutput] = None, on_stderr: Optional[OnOutput] = None
    ) -> CommandResult:
        """Wait for the end of a command in the background. A broken connection is opened again, and continues the output."""
        path = self._path("processes", process_id, "output")
        output = CommandOutput(on_stdout, on_stderr)
        attempt = 0
        failing_since: Optional[float] = None
        while True:
            try:
                return await self._read("GET", path, {"offset": output.position}, None, output)
            except ManagerError as error:
                now = monotonic()
                if failing_since is None or isinstance(error, _Cut):
                    attempt, failing_since = 0, now
                pause = pause_before(attempt, error)
                attempt += 1
                if not is_temporary(error) or now + pause > failing_since + RECONNECT_SECONDS:
                    raise
            await sleep(pause)

    async def send_stdin(self, process_id: str, data: Union[str, bytes], *, close: bool = False) -> None:
        """Write to the input of a command; with ``close``, the input ends after it."""
        content = data.encode() if isinstance(data, str) else data
        path = self._path("processes", process_id, "stdin")
        await self._transport.request_once("POST", path, params={"close": close}, content=content)

    async def kill(self, process_id: str) -> bool:
        """Kill a command with all its children; return whether there was one."""
        try:
            await self._transport.request_once("DELETE", self._path("processes", process_id))
            return True
        except NotFoundError:
            return False

    async def _read(
        self,
        method: str,
        path: str,
        params: Mapping[str, Param],
        body: Optional[Dict[str, Any]],
        output: CommandOutput,
    ) -> CommandResult:
        result: Optional[CommandResult] = None
        try:
            async with aclosing(self._events(method, path, params, body)) as events:
                async for event in events:
                    # Read to the end, so that the connection can be used again.
                    result = output.add(event) or result
        except UnavailableError:
            if result is None:
                raise
        if result is not None:
            return result
        raise _Cut(CUT, code="unavailable")

    async def _events(
        self, method: str, path: str, params: Mapping[str, Param], body: Optional[Dict[str, Any]]
    ) -> AsyncGenerator[ServerEvent, None]:
        transport, decoder = self._transport, SseDecoder()
        is_open = False
        try:
            async with transport.open_stream(path, params, None, SILENCE_SECONDS, method=method, body=body) as response:
                is_open = True
                async with aclosing(response.aiter_bytes()) as chunks:
                    async for chunk in chunks:
                        for event in decoder.feed(chunk):
                            yield event
        except httpx.RequestError as cause:
            raise (_Cut(CUT, code="unavailable") if is_open else transport.unreachable(cause)) from cause
        except ValueError as cause:
            raise InternalError(f"{transport.url} sent no valid stream: {cause}") from cause

    def _path(self, *more: str) -> str:
        return path_of("workers", self._worker_id, *more)
