"""One worker."""

from __future__ import annotations

from time import monotonic
from types import TracebackType
from typing import Any, AsyncGenerator, Dict, Literal, Mapping, Optional, Type, Union
from uuid import uuid4

from .._entries import Entry, LifecycleEvent, to_entry, to_lifecycle_event
from .._errors import ManagerError, NotFoundError, WaitTimeoutError
from ..types import Checkpoint, Dockerfile, Explanation, WorkerSpec, WorkerView
from .._policy import LONGEST_WAIT, SAVE_SECONDS, Param, change_headers, fork_fields, path_of
from .closing import aclosing
from .commands import AsyncCommands
from .files import AsyncFiles
from .terminals import AsyncPty
from .stream import START, last_id_of, read_stream
from .transport import AsyncTransport
from .turn import AsyncTurn

#: ``ended`` is ``stopped`` or ``failed``.
WaitCondition = Literal["running", "ready", "ended", "stopped", "failed", "deleted"]


class AsyncWorker:
    """A handle of a worker. Use it as a context manager to delete the worker at the end."""

    def __init__(self, transport: AsyncTransport, info: WorkerView) -> None:
        self._transport = transport
        #: The worker as the manager reported it last; ``refresh()`` updates it.
        self.info: WorkerView = info
        self.id: str = info["worker_id"]
        #: Commands in the worker, beside its agent.
        self.commands = AsyncCommands(transport, self.id)
        #: Terminals in the worker.
        self.pty = AsyncPty(transport, self.id)
        #: The files in its workspace.
        self.files = AsyncFiles(transport, self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"

    async def __aenter__(self) -> AsyncWorker:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            await self.delete()
        except NotFoundError:
            pass

    @property
    def name(self) -> Optional[str]:
        return self.info.get("name")

    @property
    def status(self) -> str:
        """``STARTING``, ``RUNNING``, ``STOPPED`` or ``FAILED``, as of the last report."""
        return self.info["status"]

    @property
    def phase(self) -> str:
        """The detailed status, such as ``queued``, ``ready`` or ``backoff``."""
        return self.info["phase"]

    @property
    def incarnation(self) -> int:
        """The number of the worker's body, from 1."""
        return self.info["incarnation"]

    @property
    def ended(self) -> bool:
        """Whether the worker has ended, and is not restarted unless it is started."""
        return self.status in ("STOPPED", "FAILED")

    def get_host(self, port: int, path: str = "/") -> str:
        """The URL of a port of the worker, for requests with the token as ``Authorization: Bearer``."""
        return f"{self._transport.url}{self._path('ports', str(port))}/{path.lstrip('/')}"

    async def create_port_link(self, port: int) -> str:
        """Return a URL with which a browser gets access to a port; it works once, within a minute."""
        link = await self._transport.request_once("POST", f"{self._path('ports')}/{port}:link")
        return str(link["url"])

    async def refresh(self) -> AsyncWorker:
        """Update ``info``."""
        self.info = await self._transport.request("GET", self._path())
        return self

    async def wait(self, condition: WaitCondition = "ready", *, timeout: Optional[float] = None) -> AsyncWorker:
        """Wait until the worker is ``running``, ``ready``, ``ended`` or ``deleted``.

        Raises ``ConflictError`` with the reason if that can no longer happen, and ``WaitTimeoutError`` after ``timeout``
        seconds.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            left = LONGEST_WAIT if deadline is None else min(deadline - monotonic(), LONGEST_WAIT)
            seconds = max(left, 0.0)
            try:
                self.info = await self._transport.request_in_wait(
                    "GET",
                    self._path(),
                    until=deadline,
                    params={"wait": condition, "timeout_seconds": seconds},
                    timeout=seconds + self._transport.timeout,
                )
                return self
            except NotFoundError:
                if condition != "deleted":
                    raise
                return self
            except ManagerError as error:
                if error.status != 504:
                    raise
                if deadline is not None and monotonic() >= deadline:
                    raise WaitTimeoutError(error.message) from error

    async def send(
        self,
        prompt: str,
        *,
        deadline_seconds: Optional[float] = None,
        retry: bool = False,
        request_id: Optional[str] = None,
    ) -> AsyncTurn:
        """Send a prompt to the agent. Iterate over the turn that it returns, or call its ``result()``.

        Prompts are answered in their order; a worker that is not ready yet gets them when it is. With ``retry``, the turn
        is begun again if the worker's body ends during it; otherwise it fails as ``body_lost``.
        """
        request_id = request_id or str(uuid4())
        position = await last_id_of(self._transport, self._path("output"))
        body: Dict[str, Any] = {"content": prompt}
        if deadline_seconds is not None:
            body["deadline_seconds"] = deadline_seconds
        if retry:
            body["retry"] = True
        answer = await self._act("prompt", body, key=request_id)
        return AsyncTurn(self, answer.get("request_id", request_id), position)

    def turn(self, request_id: str) -> AsyncTurn:
        """The turn of a prompt that was sent before, as long as the manager keeps its output."""
        return AsyncTurn(self, request_id, START)

    async def interrupt(self) -> None:
        """Ask the agent to end its current turn."""
        await self._act("interrupt")

    async def output(
        self, *, since: Optional[str] = None, tail: Optional[int] = None, follow: bool = True
    ) -> AsyncGenerator[Entry, None]:
        """Yield the entries of the output, and new ones as they come.

        ``since`` is the ``id`` of an entry, an RFC 3339 time, or a duration such as ``10m``; ``tail`` is a number of
        entries; without both, everything that is kept is read. The stream survives lost connections. It ends when the
        worker has ended, or at the present end if ``follow`` is false.
        """
        stream = read_stream(self._transport, self._path("output"), since=since, tail=tail, follow=follow)
        async with aclosing(stream) as events:
            async for event in events:
                yield to_entry(event)

    async def events(
        self, *, since: Optional[str] = None, tail: Optional[int] = None, follow: bool = True
    ) -> AsyncGenerator[LifecycleEvent, None]:
        """Yield what the manager did with the worker, and why, until it is deleted; the arguments are those of ``output()``."""
        stream = read_stream(self._transport, self._path("events"), since=since, tail=tail, follow=follow)
        async with aclosing(stream) as events:
            async for event in events:
                yield to_lifecycle_event(event)

    async def stop(self, *, reason: Optional[str] = None) -> AsyncWorker:
        """End the worker's body, and keep its record."""
        return await self._change("stop", reason)

    async def start(self, *, reason: Optional[str] = None, traceparent: Optional[str] = None) -> AsyncWorker:
        """Start a worker that has ended; ``traceparent`` is as for ``workers.create()``."""
        return await self._change("start", reason, traceparent)

    async def restart(self, *, reason: Optional[str] = None, traceparent: Optional[str] = None) -> AsyncWorker:
        """Replace the worker's body with a new one; ``traceparent`` is as for ``workers.create()``."""
        return await self._change("restart", reason, traceparent)

    async def delete(self, *, reason: Optional[str] = None) -> None:
        """End the worker and delete it, with its output; ``wait("deleted")`` waits for that."""
        headers = change_headers()
        await self._transport.request("DELETE", self._path(), params={"reason": reason}, headers=headers)

    async def checkpoint(self) -> Checkpoint:
        """Save the workspace while the worker runs, with the conversation after the last turn."""
        checkpoint: Checkpoint = await self._transport.request_once(
            "POST", self._path("checkpoints"), timeout=SAVE_SECONDS
        )
        return checkpoint

    async def fork(
        self,
        *,
        checkpoint_id: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        traceparent: Optional[str] = None,
        **spec: Any,
    ) -> AsyncWorker:
        """Create a worker with this one's spec, files and conversation as they are now, or were in a checkpoint.

        The name and the prompt are not taken over; ``spec`` changes other fields.
        """
        source = checkpoint_id or (await self.checkpoint())["checkpoint_id"]
        details = await self._transport.request("GET", path_of("checkpoints", source))
        body = {**fork_fields(source, details["spec"]), **spec}
        headers = change_headers(idempotency_key, traceparent)
        info = await self._transport.request("POST", path_of("workers"), body=body, headers=headers)
        return AsyncWorker(self._transport, info)

    async def changes(
        self, *, since: Literal["start", "head"] = "start", format: Literal["patch", "stat", "names"] = "patch"
    ) -> str:
        """Return what has changed in the workspace since it was filled, or since HEAD, as git shows it."""
        params = {"since": since, "format": format}
        return await self._transport.text(self._path("changes"), params=params, timeout=SAVE_SECONDS)

    async def explain(self) -> Explanation:
        """Return what the manager would do with the worker now, and why."""
        explanation: Explanation = await self._transport.request("GET", self._path("explain"))
        return explanation

    async def spec(self) -> WorkerSpec:
        """Return the fields that the worker was created with, and the defaults of the others."""
        spec: WorkerSpec = await self._transport.request("GET", self._path("spec"))
        return spec

    async def dockerfile(self) -> Dockerfile:
        """Return the Dockerfile of the image that the manager builds for the worker, and the image's name."""
        dockerfile: Dockerfile = await self._transport.request("GET", self._path("dockerfile"))
        return dockerfile

    async def _change(self, verb: str, reason: Optional[str], traceparent: Optional[str] = None) -> AsyncWorker:
        self.info = await self._act(verb, params={"reason": reason}, traceparent=traceparent)
        return self

    async def _act(
        self,
        verb: str,
        body: Optional[Mapping[str, Union[str, float]]] = None,
        *,
        key: Optional[str] = None,
        params: Optional[Mapping[str, Param]] = None,
        traceparent: Optional[str] = None,
    ) -> Any:
        headers = change_headers(key, traceparent)
        return await self._transport.request("POST", self._path(verb), params=params, body=body, headers=headers)

    def _path(self, *more: str) -> str:
        return path_of("workers", self.id, *more)
