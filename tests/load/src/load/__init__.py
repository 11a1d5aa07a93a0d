"""Load tests with Locust: players, spectators and swarms. The exit code says whether the objectives are met.

The requests of users run in an event loop in its own thread, with the public client. So Locust, which is built on gevent, must not
patch the standard library, except the sleep in its own loops.
"""

import os

from gevent import monkey

os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")
monkey.patch_time()
