"""Errors that the client raises.

Every error is a :class:`WorkerManagerError`. A request that the manager refused is a :class:`ManagerError`; the code of
the response selects its subclass.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type


class WorkerManagerError(Exception):
    """Base class of every error of this package."""


class Issue(NamedTuple):
    """One problem with an input: the path of the field, such as ``resources.memory``, and what is allowed."""

    path: str
    message: str


class ManagerError(WorkerManagerError):
    """A request failed. Use the subclasses to handle one kind of failure."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "internal",
        status: int = 0,
        issues: Tuple[Issue, ...] = (),
        retry_after_seconds: Optional[float] = None,
        worker_id: Optional[str] = None,
        trace_id: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: One word for programs, such as ``not_found``; the same in Redis, HTTP and the command line.
        self.code = code
        #: The HTTP status; 0 if there was no response.
        self.status = status
        #: The fields of the request that are wrong.
        self.issues = issues
        #: Seconds after which a retry may succeed, if the manager reports it.
        self.retry_after_seconds = retry_after_seconds
        #: The worker that the request was about, if the manager reports it.
        self.worker_id = worker_id
        #: The header ``X-Request-Id`` of the response, which the manager's log contains.
        self.trace_id = trace_id
        #: One word for some errors, such as ``body_lost`` or ``no_file``.
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __reduce__(self) -> Tuple[Any, ...]:
        # Exceptions with keyword arguments cannot be pickled otherwise, and process pools pickle them.
        return _restore, (type(self), self.message, self.__dict__)


class InvalidCommandError(ManagerError):
    """The input is wrong; ``issues`` names the fields. Do not retry."""


class UnauthorizedError(ManagerError):
    """The token is missing or wrong."""


class NotFoundError(ManagerError):
    """Nothing has that ID or name, or it has been deleted."""


class ConflictError(ManagerError):
    """The name is taken, the state does not allow the request, or a condition can no longer become true."""


class UnsupportedError(ManagerError):
    """The request is valid, but this manager, runtime or machine cannot do it."""


class CapacityError(ManagerError):
    """The request is valid, but the manager has no capacity now. Retry after ``retry_after_seconds``."""


class UnavailableError(ManagerError):
    """The manager, or something that it depends on, does not respond. Retry later."""


class InternalError(ManagerError):
    """The manager failed because of a bug."""


class TurnFailedError(WorkerManagerError):
    """An agent did not complete its turn."""

    def __init__(self, message: str, *, reason: str, data: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.message = message
        #: One word for programs, such as ``interrupted``, ``deadline`` or ``exit``.
        self.reason = reason
        #: All fields of the entry ``turn_failed``; empty if the worker ended without one.
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})"

    def __reduce__(self) -> Tuple[Any, ...]:
        return _restore, (type(self), self.message, self.__dict__)


class TaskFailedError(WorkerManagerError):
    """A task failed or was cancelled."""

    def __init__(self, message: str, *, type: str, task: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.message = message
        #: The class of the handler's exception, ``Cancelled``, or ``TimeoutError``.
        self.type = type
        #: The traceback of the handler, if there is one.
        self.traceback: Optional[str] = (task.get("error") or {}).get("traceback")
        #: The task, as ``Task.status()`` returns it.
        self.task = task

    def __str__(self) -> str:
        return f"{self.type}: {self.message}"

    def __reduce__(self) -> Tuple[Any, ...]:
        return _restore, (type(self), self.message, self.__dict__)


class WaitTimeoutError(WorkerManagerError, TimeoutError):
    """Something did not happen within the ``timeout`` of the caller. It may still happen later."""


def _restore(cls: Type[WorkerManagerError], message: str, fields: Dict[str, Any]) -> WorkerManagerError:
    error = cls.__new__(cls, message)
    error.__dict__.update(fields)
    return error


_BY_CODE: Dict[str, Type[ManagerError]] = {
    "invalid_command": InvalidCommandError,
    "not_found": NotFoundError,
    "conflict": ConflictError,
    "unsupported": UnsupportedError,
    "capacity": CapacityError,
    "unavailable": UnavailableError,
    "internal": InternalError,
}

#: For responses without a code, which come from a proxy and not from the manager.
_CODE_BY_STATUS = {
    400: "invalid_command",
    404: "not_found",
    409: "conflict",
    412: "conflict",
    413: "invalid_command",
    422: "invalid_command",
    429: "capacity",
    501: "unsupported",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}


def error_from(
    status: int,
    body: object,
    *,
    retry_after: Optional[str] = None,
    trace_id: Optional[str] = None,
    url: str = "The manager",
) -> ManagerError:
    """Convert an error response, or one line of a bulk response, to an exception."""
    fields: Any = body if isinstance(body, dict) else {}
    error: Any = fields.get("error")
    if not isinstance(error, dict):
        error = {}
    code = error.get("code")
    if not isinstance(code, str):
        code = _CODE_BY_STATUS.get(status, "internal" if status >= 500 else "invalid_command")
    message = error.get("message")
    if not isinstance(message, str):
        message = f"{url} responded with status {status}, without an error of a manager"
    worker_id = fields.get("worker_id")
    reason = error.get("reason")
    cls = UnauthorizedError if status == 401 else _BY_CODE.get(code, ManagerError)
    return cls(
        message,
        code=code,
        status=status,
        issues=_issues(error.get("issues")),
        retry_after_seconds=_seconds(retry_after),
        worker_id=worker_id if isinstance(worker_id, str) else None,
        trace_id=trace_id,
        reason=reason if isinstance(reason, str) else None,
    )


def _issues(value: object) -> Tuple[Issue, ...]:
    found: List[Issue] = []
    for one in value if isinstance(value, list) else []:
        if isinstance(one, dict):
            found.append(Issue(str(one.get("path", "")), str(one.get("message", ""))))
    return tuple(found)


def _seconds(text: Optional[str]) -> Optional[float]:
    """The header Retry-After in seconds; its other form, a date, is not used by the manager."""
    try:
        seconds = float(text) if text else -1.0
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
