"""What handler files import: `from worker_manager import handler, progress`.

Functions that are marked with `@handler` can be called by tasks. This file needs nothing but Python's standard library,
so that handlers can be imported and tested without a worker as well.
"""

import re

__all__ = ["handler", "progress", "task_id", "Cancelled"]


class Cancelled(BaseException):
    """Raised in a function whose task is cancelled or out of time, so that `finally` and `with` clean up.

    A grace later the process is killed, whatever it does. No Exception, so that `except Exception` does not hold it up.
    """


#: name -> function, in the order of their marking.
registry = {}
#: As the API takes them; see src/model/task/function-name.ts.
PART = re.compile(r"[^\W\d](?:[\w$-])*|\$[\w$-]*")


class _Current:
    task_id = None
    report = staticmethod(lambda value: None)


current = _Current()


def handler(function=None, *, name=None):
    """Marks a function, also an async one, as callable by tasks: `@handler` or `@handler(name="resize")`."""
    if function is None:
        return lambda marked: handler(marked, name=name)
    if not callable(function):
        raise TypeError(f"@handler marks a function, not {type(function).__name__}: write @handler(name=…)")
    key = name or function.__name__
    if not isinstance(key, str):
        raise TypeError(f"the name of a handler is a string, not {type(key).__name__}")
    parts = key.split(".")
    if len(key) > 256 or len(parts) > 16 or not all(PART.fullmatch(part) for part in parts):
        raise ValueError(
            f"{key!r} cannot be called by tasks: a name has letters, digits, _, $ and -, begins with no digit, "
            "and may have parts with dots between"
        )
    before = registry.get(key)
    if before is not None and before is not function:
        raise ValueError(f'two functions are named "{key}": {place(before)} and {place(function)}')
    registry[key] = function
    return function


def progress(value):
    """Reports the progress of the task: a number from 0 to 100, or any JSON. Does nothing outside of a task."""
    current.report(value)


def task_id():
    """The id of the task that runs; None outside of one."""
    return current.task_id


def place(function):
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)
