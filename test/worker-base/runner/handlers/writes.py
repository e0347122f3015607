import os

from worker_manager import handler

os.write(4, b"null\n")


@handler
def never():
    return None
