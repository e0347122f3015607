"""Client of worker-manager, a controller for ephemeral workers of AI coding agents and tasks.

``Manager`` is the entry for programs with threads, ``AsyncManager`` the one for ``asyncio`` and ``trio``. ``handler``,
``progress``, ``task_id`` and ``Cancelled`` are for handler files: workers have a module of the same name with these only,
and with this package the files can be imported and tested anywhere.
"""

from ._async.checkpoints import AsyncCheckpoints
from ._async.commands import AsyncCommand, AsyncCommands
from ._async.files import AsyncFiles
from ._async.manager import AsyncManager
from ._async.pools import AsyncPools
from ._async.tasks import AsyncTask, AsyncTasks
from ._async.terminals import AsyncPty, AsyncTerminalView
from ._async.turn import AsyncTurn
from ._async.worker import AsyncWorker
from ._async.workers import AsyncWorkers
from ._commands import CommandResult
from ._entries import Entry, LifecycleEvent
from ._errors import (
    CapacityError,
    ConflictError,
    InternalError,
    InvalidCommandError,
    Issue,
    ManagerError,
    NotFoundError,
    TaskFailedError,
    TurnFailedError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedError,
    WaitTimeoutError,
    WorkerManagerError,
)
from ._files import FileEvent
from ._handlers import Cancelled, handler, progress, task_id
from ._sync.checkpoints import Checkpoints
from ._sync.commands import Command, Commands
from ._sync.files import Files
from ._sync.manager import Manager
from ._sync.pools import Pools
from ._sync.tasks import Task, Tasks
from ._sync.terminals import Pty, TerminalView
from ._sync.turn import Turn
from ._sync.worker import Worker
from ._sync.workers import Workers
from ._terminals import TerminalEnd
from ._version import __version__

__all__ = [
    "AsyncCheckpoints",
    "AsyncCommand",
    "AsyncCommands",
    "AsyncFiles",
    "AsyncManager",
    "AsyncPools",
    "AsyncPty",
    "AsyncTask",
    "AsyncTasks",
    "AsyncTerminalView",
    "AsyncTurn",
    "AsyncWorker",
    "AsyncWorkers",
    "Cancelled",
    "CapacityError",
    "Checkpoints",
    "Command",
    "CommandResult",
    "Commands",
    "ConflictError",
    "Entry",
    "FileEvent",
    "Files",
    "InternalError",
    "InvalidCommandError",
    "Issue",
    "LifecycleEvent",
    "Manager",
    "ManagerError",
    "NotFoundError",
    "Pools",
    "Pty",
    "Task",
    "TaskFailedError",
    "Tasks",
    "TerminalEnd",
    "TerminalView",
    "Turn",
    "TurnFailedError",
    "UnauthorizedError",
    "UnavailableError",
    "UnsupportedError",
    "WaitTimeoutError",
    "Worker",
    "WorkerManagerError",
    "Workers",
    "__version__",
    "handler",
    "progress",
    "task_id",
]
