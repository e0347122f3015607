"""The functions for RQ."""
import os

from redis import Redis
from rq import Queue

import work

queue = Queue("bench", connection=Redis.from_url(os.environ["REDIS_URL"]))


def send(name, *args):
    queue.enqueue(getattr(work, name), *args)
