"""The functions for a worker of ours."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from worker_manager import handler  # noqa: E402

import work  # noqa: E402

for function in (work.noop, work.mark, work.lag):
    handler(function)
