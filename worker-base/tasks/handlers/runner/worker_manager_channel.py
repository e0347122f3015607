"""The runner's channel to the worker: who writes to it, and one line at a time."""

import fcntl
import os
import threading

CALLS, ANSWERS, LIFELINE = 3, 4, 5
#: Exit code: the channel is gone, for a function has closed it.
CHANNEL_CLOSED = 71


def begin():
    """Before the first line. Not when this file is imported: children of multiprocessing import it, too."""
    begin.channel = os.fstat(ANSWERS).st_ino


def write(line):
    """Writes one line. Threads and forks of a function write too: a long line goes out in parts, which must not mix."""
    data = memoryview(line + b"\n")
    with lock.threads:
        try:
            # A function may have closed it, and opened a file of its own in its place.
            if os.fstat(ANSWERS).st_ino != begin.channel:
                os._exit(CHANNEL_CLOSED)
            if lock.between is not None:
                fcntl.lockf(lock.between, fcntl.LOCK_EX)
            sent = os.write(ANSWERS, data)
            while sent < len(data):
                data = data[sent:]
                sent = os.write(ANSWERS, data)
        except OSError:
            os._exit(CHANNEL_CLOSED)
        finally:
            if lock.between is not None:
                fcntl.lockf(lock.between, fcntl.LOCK_UN)


class Lock:
    """Between threads always, and between processes from the first fork on: the kernel gives it back where its holder dies."""

    def __init__(self):
        # A signal's handler that answers nothing but raises may interrupt its holder, and not wait for it.
        self.threads = threading.RLock()
        self.between = None

    def share(self):
        if self.between is None:
            try:
                self.between = os.memfd_create("answers")
            except (AttributeError, OSError):
                import tempfile

                self.between = os.dup(tempfile.TemporaryFile().fileno())


lock = Lock()
