"""Runs the Python functions of one slot, one call at a time, until its input ends.

Calls come as JSON lines on file descriptor 3, answers go as JSON lines to 4, so that stdin, stdout and stderr are the
functions' own. Needs Python 3.9 and nothing but its standard library. Argv: the handler files.
"""

import faulthandler
import fcntl
import importlib.util
import json
import os
import signal
import sys
import traceback

# Neither our folder nor that of the handlers is ours to write to.
bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
import worker_manager  # noqa: E402
from worker_manager_channel import ANSWERS, CALLS, CHANNEL_CLOSED, LIFELINE, begin, lock, write  # noqa: E402
from worker_manager_json import encode, to_json  # noqa: E402

#: Characters of a traceback that are kept, from its end.
TRACEBACK = 16_384
#: Of Linux's fcntl(2); Python's module names it in some builds only.
F_SETSIG = 10


def main():
    own = os.getpid()
    for channel in (CALLS, ANSWERS, LIFELINE):
        os.set_inheritable(channel, False)
    begin()
    die_with_the_worker()
    faulthandler.enable()
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        load(sys.argv[1:])
    except BaseException as error:
        answer({"failed": describe(error)})
        sys.exit(1)
    sys.dont_write_bytecode = bytecode
    answer({"ready": list(worker_manager.registry), "files": places})
    signal.signal(signal.SIGTERM, cancel)
    end_children_by_signals()
    current = worker_manager.current
    with open(CALLS, "rb", buffering=65_536, closefd=False) as calls:
        while True:
            cancel.idle = True
            try:
                line = calls.readline()
            except OSError:
                os._exit(CHANNEL_CLOSED)
            if not line:
                return
            cancel.idle = False
            reply = run(line, current)
            if os.getpid() != own:
                # A child that the function forked came back from it: it is not the one that was asked.
                os._exit(0)
            current.task_id = None
            current.report = silence
            flush()
            write(reply)
            if cancel.asked:
                return


def die_with_the_worker():
    """Has the kernel kill this process group when the worker's end of the lifeline closes, however busy we are."""
    if not sys.platform.startswith("linux"):
        return
    # Nothing is ever sent on it in either direction, so that nothing but its end signals.
    fcntl.fcntl(LIFELINE, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(LIFELINE, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(LIFELINE, fcntl.F_SETFL, fcntl.fcntl(LIFELINE, fcntl.F_GETFL) | os.O_ASYNC)


def end_children_by_signals():
    """What a function forks, such as a pool of multiprocessing, ends by SIGTERM as any other process does.

    It is blocked meanwhile: a signal between fork and our word would be lost, and who waits for the child would hang.
    """

    def hold():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        # The child has one thread: a lock that another one holds would never be free in it.
        lock.threads.acquire()
        lock.share()

    def release():
        lock.threads.release()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    def release_child():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        release()

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=release_child)


#: name -> handler file that it is from.
places = {}


def load(files):
    for path in files:
        folder, name = os.path.split(os.path.splitext(path)[0])
        if folder not in sys.path:
            sys.path.insert(0, folder)
        known = sys.modules.get(name)
        if known is not None:
            if os.path.realpath(getattr(known, "__file__", None) or "") == os.path.realpath(path):
                continue
            name = f"{name}_{len(sys.modules)}"
        before = len(worker_manager.registry)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        for key, function in list(worker_manager.registry.items())[before:]:
            # A handler file may import another one, which then marks its own.
            source = getattr(sys.modules.get(getattr(function, "__module__", None)), "__file__", None)
            places[key] = source if source in files else path
        if len(worker_manager.registry) == before:
            raise ValueError(f"no function in {path} is marked with @handler (from worker_manager import handler)")


def cancel(_signal, _frame):
    if cancel.idle:
        os._exit(143)
    cancel.asked = True
    task = loop.task
    if task is None:
        raise worker_manager.Cancelled()
    # Raised in the loop it would leave the function without its `finally`.
    loop.made.call_soon_threadsafe(task.cancel)


cancel.idle = True
cancel.asked = False


def run(line, current):
    """Answers one call; whatever happens in it becomes an answer."""
    number = None
    try:
        call = json.loads(line)
    except RecursionError:
        message = "the arguments are nested too deeply"
        return encode({"error": {"type": "NotSerialisable", "message": message}})
    try:
        number = call["id"]
        function = worker_manager.registry[call["function"]]
        current.task_id = call["task_id"]
        current.report = lambda value: report(number, value)
        result = function(*call["args"], **call["kwargs"])
        if hasattr(result, "__await__"):
            result = loop().run_until_complete(settle(result))
    except BaseException as error:
        return encode({"id": number, "error": describe(error)})
    try:
        data, reason = to_json(result)
    except BaseException as error:
        return encode({"id": number, "error": describe(error)})
    if reason is not None:
        return encode({"id": number, "error": {"type": "NotSerialisable", "message": reason}})
    return b'{"id":%d,"result":%b}' % (number, data)


def report(number, value):
    data, reason = to_json(value, "progress")
    if reason is not None:
        raise TypeError(reason)
    write(b'{"id":%d,"progress":%b}' % (number, data))


def loop():
    """One event loop for all calls, so that clients that functions keep stay usable."""
    if loop.made is None:
        import asyncio

        loop.made = asyncio.new_event_loop()
        asyncio.set_event_loop(loop.made)
    return loop.made


loop.made = None
loop.task = None


async def settle(awaitable):
    """Waits for the result, and ends what the function left running on the loop."""
    import asyncio

    loop.task = asyncio.current_task()
    try:
        return await awaitable
    finally:
        loop.task = None
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)


def describe(error):
    """The exception as JSON; frames of this file are left out."""
    kind = type(error)
    module = kind.__module__
    name = kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
    try:
        message = f"the function called sys.exit({error.code!r})" if isinstance(error, SystemExit) else str(error)
    except BaseException as broken:
        message = f"(its text can't be made: {type(broken).__name__})"
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(kind, error, frames or error.__traceback__))
    except BaseException as broken:
        text = f"(no traceback: {type(broken).__name__})"
    return {"type": name, "message": message[:TRACEBACK], "traceback": text[-TRACEBACK:]}


def answer(message):
    write(encode(message))


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # The function has closed or replaced it.


def silence(_value):
    """Progress that a thread reports after its call has ended."""


if __name__ == "__main__":
    try:
        main()
    except worker_manager.Cancelled:
        pass  # Between two steps of ours; the end was asked for.
