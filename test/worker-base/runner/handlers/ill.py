"""Functions that do what a function should not."""
import ctypes
import datetime
import decimal
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

from worker_manager import handler, progress


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


@handler
def fail(message):
    raise ValueError(message)


@handler
def fail_oddly():
    raise Odd()


@handler
def fail_with_cause():
    try:
        {}["missing"]
    except KeyError as error:
        raise RuntimeError("the second") from error


@handler
def leave(code):
    sys.exit(code)


@handler
def vanish(code):
    print("last words", file=sys.stderr)
    os._exit(code)


@handler
def crash():
    ctypes.string_at(0)


@handler
def spin():
    while True:
        pass


@handler
def recurse():
    return recurse()


VALUES = {
    "merged": {"a": [{1: "a", "1": "b"}]},
    "merged_true": {True: 1, "true": 2},
    "nan": {"a": [1, float("nan")]},
    "infinity": [float("-inf")],
    "bytes": {"file": {"content": b"\0"}},
    "date": datetime.datetime(2020, 1, 1),
    "decimal": decimal.Decimal(1),
    "set": {1},
    "big": {"id": 2**53},
    "biggest": 10**400,
    "key": {(1, 2): 3},
    "function": len,
    "generator": (number for number in ()),
    "itself": [],
    "deep": 0,
}
VALUES["itself"].append(VALUES["itself"])
for _ in range(100_000):
    VALUES["deep"] = [VALUES["deep"]]


@handler
def unfit(name):
    return VALUES[name]


@handler
def fork_and_return():
    """The child comes back from the function as well."""
    child = os.fork()
    return "child" if child == 0 else "parent"


@handler
def fork_and_raise():
    if os.fork() == 0:
        raise ValueError("in the child")
    return "parent"


def square(number):
    return number * number


@handler
def pool(how):
    with multiprocessing.get_context(how).Pool(2) as workers:
        return workers.map(square, range(4))


@handler
def close_all():
    os.closerange(0, 256)
    return "closed"


@handler
def close_and_open(path):
    os.closerange(3, 256)
    files = [open(path, "w") for _ in range(4)]
    return len(files)


@handler
def close_output():
    sys.stdout.close()
    sys.stderr = None
    return "quiet"


@handler
def ignores_signals(path):
    """Ends by nothing but SIGKILL, and so do its children, one of them in a session of its own without a parent."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stubborn = "trap '' TERM; echo $$ >> '" + path + "'; while :; do sleep 0.05; done"
    subprocess.Popen(["sh", "-c", stubborn])
    subprocess.Popen(["sh", "-c", stubborn], start_new_session=True)
    subprocess.run(["sh", "-c", 'setsid sh -c "$0" &', stubborn])
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    while True:
        time.sleep(1)


@handler
def leave_behind(path):
    """Returns while a child of it goes on with its output."""
    child = subprocess.Popen(["sleep", "300"])
    with open(path, "w") as file:
        file.write(str(child.pid))
    return child.pid


@handler
def write_to_the_runner(text, seconds, end="\n"):
    """Writes where only the runner does, and returns some seconds later."""
    os.write(4, (text + end).encode())
    time.sleep(seconds)
    return "returned"


@handler
def leave_and_vanish(script):
    subprocess.run(["sh", "-c", script])
    os._exit(5)


class Leaving(Exception):
    def __str__(self):
        sys.exit(3)


@handler
def fail_and_leave():
    raise Leaving()


@handler
def unmixed(name):
    return {"mixed": {1: "a", "b": "c"}, "half": "\ud800", "long": "\u0436" * (6 * 2**20)}[name]


@handler
def many_writers(count, size):
    """Threads, and a fork, that all report at once; each line is longer than a pipe takes in one piece."""
    child = os.fork()

    def report(who):
        for number in range(count):
            progress({"who": who, "number": number, "text": who * size})

    threads = [threading.Thread(target=report, args=(who,)) for who in ("c" if child == 0 else "ab")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if child == 0:
        os._exit(0)
    return os.waitpid(child, 0)[1]


@handler
def odd_progress():
    progress({"at": 2**60})
