"""Functions that behave, in every way that is asked for."""
import asyncio
import os
import sys
import threading
import time

from worker_manager import Cancelled, handler, progress, task_id


@handler
def add(a, b=1):
    return a + b


@handler(name="renamed")
def called_otherwise():
    return [os.getpid(), task_id()]


@handler
async def sleeping(seconds, result):
    await asyncio.sleep(seconds)
    return result


@handler
def echo(value):
    return value


@handler
def steps(count):
    for step in range(count):
        progress(step)
    return "done"


@handler
def talk(text):
    print(text)
    print(text + " to stderr", file=sys.stderr)
    sys.stdout.write("no newline")
    os.system("echo from a child")


@handler
def flood(lines):
    for line in range(lines):
        print(f"line {line} " + "x" * 90)
    return lines


@handler
def tidy(path):
    """Waits to be cancelled, and cleans up."""
    try:
        progress("begun")
        while True:
            time.sleep(0.01)
    finally:
        with open(path, "w") as file:
            file.write("cleaned up")


@handler
async def tidy_async(path):
    try:
        progress("begun")
        await asyncio.sleep(3600)
    finally:
        with open(path, "w") as file:
            file.write("cleaned up")


@handler
def threads(count):
    seen = []
    started = [threading.Thread(target=seen.append, args=(number,)) for number in range(count)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return sorted(seen)


@handler
def big(megabytes):
    return "x" * (megabytes * 1024 * 1024)


@handler
def stubborn(path):
    """Takes the cancellation for an error that it can go on from."""
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    while True:
        try:
            time.sleep(0.01)
        except Cancelled:
            pass
