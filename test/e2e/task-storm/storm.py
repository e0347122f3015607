"""Functions for a storm of tasks: the result of each differs from every wrong one."""
import random
import time

from worker_manager import handler


class Flaky(Exception):
    pass


@handler
def square(n):
    time.sleep(random.random() * 0.08)
    return n * n


@handler
def refuse(n):
    raise ValueError(f"no {n} here")


@handler
def flaky(n):
    if random.random() < 0.5:
        raise Flaky(f"not this time, {n}")
    return -n


@handler
def forever(n):
    while True:
        time.sleep(0.01)


@handler
def unspeakable(n):
    return {"n": n, "why": object()}
