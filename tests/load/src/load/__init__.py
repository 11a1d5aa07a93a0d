"""Load: players, spectators and swarms of orders by Locust, whose exit code is the verdict.

What users ask runs in an event loop in a thread of its own, with the client that any program would use. So Locust, which is built on
gevent, is to leave the standard library as it is, but for the sleep in its own loops.
"""

import os

from gevent import monkey

os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")
monkey.patch_time()
