import os
import pathlib
import time

from worker_manager import handler


@handler
def nap(seconds):
    time.sleep(seconds)
    return os.environ.get("EDITION", "first")


@handler
def nap_until(path):
    """Until the file is there."""
    while not pathlib.Path(path).exists():
        time.sleep(0.05)
    return os.environ.get("EDITION", "first")
