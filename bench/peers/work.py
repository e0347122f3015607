"""What every queue under test runs: an empty function, and two that record when they ran by the system clock."""
import time


def noop():
    return None


def mark(path):
    with open(path, "a") as file:
        file.write(f"{time.monotonic_ns() // 1000}\n")


def lag(path, sent):
    """Microseconds since `sent`; Node's process.hrtime and Python's monotonic clock are the same one."""
    now = time.monotonic_ns() // 1000
    with open(path, "a") as file:
        file.write(f"{now - sent}\n")
