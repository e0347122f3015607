"""Tasks: functions, commands and prompts that the workers of a pool run."""

from __future__ import annotations

import json
from time import monotonic
from typing import Any, AsyncGenerator, Dict, Iterable, List, Mapping, Optional, Sequence, Union
from uuid import uuid4

from anyio import sleep

from .._errors import ManagerError, TaskFailedError, WaitTimeoutError, error_from
from ..types import TaskSubmission, TaskSubmissionBackoff, TaskView
from .._policy import BULK_BYTES, Param, batches, check_keys, path_of
from .closing import aclosing
from .transport import AsyncTransport

#: The first and the longest pause between two requests for a task.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class AsyncTask:
    """A handle of a task."""

    def __init__(self, transport: AsyncTransport, id: str, pool: Optional[str], info: Optional[TaskView]) -> None:
        self._transport = transport
        self.id = id
        self.pool = pool
        #: The task as the manager reported it last; None before the first ``status()``.
        self.info: Optional[TaskView] = info
        #: Why the task may wait long, if the manager reported that when it was submitted.
        self.warning: Optional[str] = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of pool {self.pool}>"

    async def status(self) -> TaskView:
        """Return the task as it is now; its field ``status`` is ``queued``, ``running``, ``completed`` or ``failed``."""
        self.info = task = await self._request("GET")
        self.pool = task.get("pool", self.pool)
        return task

    async def result(self, *, timeout: Optional[float] = None) -> Any:
        """Wait for the end of the task, and return what its function returned.

        Raises ``TaskFailedError`` if it failed or was cancelled, and ``WaitTimeoutError`` after ``timeout`` seconds.
        """
        deadline = None if timeout is None else monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            task = self.info
            if task is None or task["status"] not in ("completed", "failed"):
                self.info = task = await self._transport.request_in_wait(
                    "GET", path_of("tasks", self.id), until=deadline, params={"pool": self.pool}
                )
                self.pool = task.get("pool", self.pool)
            if task["status"] == "completed":
                return task["result"]
            if task["status"] == "failed":
                error = task.get("error")
                kind, message = (error["type"], error["message"]) if error else ("Error", "The task failed")
                raise TaskFailedError(message, type=kind, task=task)
            if deadline is not None:
                left = deadline - monotonic()
                if left <= 0:
                    raise WaitTimeoutError(f"The task {self.id} is {task['status']}, and has not ended in {timeout} s")
                pause = min(pause, left)
            await sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def cancel(self, *, reason: Optional[str] = None) -> TaskView:
        """Cancel the task; a running one is killed. Raises ``ConflictError`` if it has ended."""
        self.info = task = await self._request("POST", "cancel", {"reason": reason})
        return task

    async def retry(self) -> TaskView:
        """Queue a failed task again."""
        self.info = task = await self._request("POST", "retry")
        return task

    async def _request(self, method: str, verb: str = "", params: Optional[Mapping[str, Param]] = None) -> TaskView:
        path = path_of("tasks", self.id, *([verb] if verb else []))
        headers = {"idempotency-key": str(uuid4())} if verb else {}
        params = {"pool": self.pool, **(params or {})}
        task: TaskView = await self._transport.request(method, path, params=params, headers=headers)
        return task


class AsyncTasks:
    """Submits and finds tasks."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def submit(
        self,
        function: Optional[str] = None,
        *,
        args: Optional[Sequence[Any]] = None,
        kwargs: Optional[Mapping[str, Any]] = None,
        command: Optional[Sequence[str]] = None,
        prompt: Optional[str] = None,
        pool: Optional[str] = None,
        task_id: Optional[str] = None,
        priority: Optional[str] = None,
        timeout_seconds: Optional[float] = None,
        max_retries: Optional[int] = None,
        max_losses: Optional[int] = None,
        backoff: Optional[TaskSubmissionBackoff] = None,
    ) -> AsyncTask:
        """Submit a function with its arguments, a command, or a prompt.

        A pool is required if more than one is declared. The same ``task_id`` with the same payload is the same task.
        """
        payload = {"function": function, "args": args, "kwargs": kwargs, "command": command, "prompt": prompt}
        options = {
            "pool": pool,
            "task_id": task_id or str(uuid4()),
            "priority": priority,
            "timeout_seconds": timeout_seconds,
            "max_retries": max_retries,
            "max_losses": max_losses,
            "backoff": backoff,
        }
        check_keys(payload, "payload")
        task = {"payload": _present(payload), **_present(options)}
        return self._handle(await self._transport.request("POST", "/v1/tasks", body=task))

    async def submit_many(self, tasks: Iterable[TaskSubmission]) -> List[Union[AsyncTask, ManagerError]]:
        """Submit many tasks in few requests; the result has a task or an error for each of them, in their order."""
        results: List[Union[AsyncTask, ManagerError]] = []

        def to_line(task: TaskSubmission) -> bytes:
            check_keys(task, "task")
            return json.dumps({"task_id": str(uuid4()), **task}).encode()

        lines = (to_line(task) for task in tasks)
        headers = {"content-type": "application/x-ndjson"}
        for batch in batches(lines, BULK_BYTES):
            answers = await self._transport.request("POST", "/v1/tasks", content=batch, headers=headers, lines=True)
            for answer in answers:
                refused = isinstance(answer.get("error"), dict)
                results.append(error_from(200, answer) if refused else self._handle(answer))
        return results

    async def get(self, task_id: str, *, pool: Optional[str] = None) -> AsyncTask:
        """Return the task with that ID; the pool is required if two pools have one."""
        task = AsyncTask(self._transport, task_id, pool, None)
        await task.status()
        return task

    async def list(
        self, *, pool: Optional[str] = None, status: Optional[str] = None, page_size: Optional[int] = None
    ) -> AsyncGenerator[AsyncTask, None]:
        """Yield the tasks that match all filters, one page after the other."""
        params = {"pool": pool, "status": status, "limit": page_size}
        async with aclosing(self._transport.pages("/v1/tasks", params)) as pages:
            async for info in pages:
                yield AsyncTask(self._transport, info["task_id"], info["pool"], info)

    async def cancel(self, task_id: str, *, pool: Optional[str] = None, reason: Optional[str] = None) -> TaskView:
        """Cancel a task; a running one is killed."""
        return await AsyncTask(self._transport, task_id, pool, None).cancel(reason=reason)

    async def retry(self, task_id: str, *, pool: Optional[str] = None) -> TaskView:
        """Queue a failed task again."""
        return await AsyncTask(self._transport, task_id, pool, None).retry()

    def _handle(self, answer: Dict[str, Any]) -> AsyncTask:
        task = AsyncTask(self._transport, answer["task_id"], answer.get("pool"), None)
        task.warning = answer.get("warning")
        return task


def _present(fields: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
