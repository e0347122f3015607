import os
import time

from worker_manager import handler


@handler
def nap(seconds):
    time.sleep(seconds)
    return os.environ.get("EDITION", "first")
