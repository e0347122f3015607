"""Functions for the tests of the SDK."""

import time

from worker_manager import handler


@handler
def add(a, b):
    return a + b


@handler
def fail(reason):
    raise ValueError(reason)


@handler
def wait():
    time.sleep(600)
