"""Settings that cannot be meant: who reads them, which, its value, and what is said of it. A new case is one line."""

SECRET_PART = "hunter2"
"""In every secret of the table: it may be nowhere in what a process says."""
_SECRET = f"{SECRET_PART}-{'x' * 32}"

_OF_REDIS = ("api", "viz", "worker", "standalone")
_OF_ALL = ("api", "viz", "worker", "bot")

_TABLE: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (_OF_REDIS, "REDIS_URL", "redis://h/notadb", "not a database"),
    (("api",), "REDIS_URL", "redis://h/1/x", "not a database"),
    (("worker",), "REDIS_URL", "redis://h/l", "not a database"),
    (_OF_REDIS, "REDIS_URL", f"redis://u:{_SECRET}/x@h:1/0", "write in a password"),
    (("api",), "REDIS_URL", f"redis://u:{_SECRET}#x@h:1/0", "write in a password"),
    (("viz",), "REDIS_URL", f"redis+cluster://u:{_SECRET}?x@h:1", "write in a password"),
    (("worker",), "REDIS_URL", f"redis+sentinel://u:[{_SECRET}]@h/world", "a host or a port is invalid"),
    (("viz",), "REDIS_URL", f"redis://:{_SECRET}", "a host or a port is invalid"),
    (("api",), "REDIS_URL", "redis+cluster://h:1/0?tls=true", "unknown parameter"),
    (("worker",), "REDIS_URL", "redis://h:99999", "a host or a port is invalid"),
    (("viz",), "REDIS_URL", "redis://h?socket_timeout=abc", "socket_timeout"),
    (("api",), "REDIS_URL", "rediss://h?ssl_ca_certs=/missing", "not a readable file"),
    (("bot",), "API_URL", "http://[::1", "brackets"),
    (("bot",), "API_URL", "http://h:99999", "a port"),
    (("bot",), "API_URL", f"http://u:{_SECRET}@h", "a user or a password"),
    (("viz",), "API_URL", "http://[::1", "brackets"),
    (("viz",), "API_URL", "//elsewhere.example", "must be a path"),
    (("bot",), "API_TOKEN", f"{_SECRET} {_SECRET}", "spaces"),
    (("bot",), "API_TOKEN", f"{_SECRET}\u00fc", "not ASCII"),
    (("bot",), "API_TOKEN", f"{_SECRET}\n{_SECRET}", "line break"),
    (("bot",), "API_TOKEN", f"'{_SECRET}'", "in quotes"),
    (("api", "standalone"), "AUTH_SECRET", f'"{_SECRET}"', "in quotes"),
    (("api", "standalone"), "AUTH_SECRET", f"{_SECRET}\n{_SECRET}", "line break"),
    (("api", "standalone"), "AUTH_SECRET", SECRET_PART, "must have at least"),
    (("api",), "AUTH_SECRET", " ", "must have at least"),
    (("api",), "CORS_ORIGINS", "https://play.example.org?x", "a query"),
    (("api",), "CORS_ORIGINS", f"https://u:{_SECRET}@play.example.org", "a user or a password"),
    (("api",), "CORS_ORIGINS", "https://play.example.org/page", "must not have a path"),
    (("api",), "CORS_ORIGINS", "https://play.example.org:port", "a port"),
    (("api", "viz", "worker"), "TRACES_URL", f"https://u:{_SECRET}@:1", "not a valid name"),
    (("api",), "TRACES_URL", f"https://collector?token={_SECRET}", "a query"),
    (_OF_ALL, "HOST", "127.0.0.1:80", "not a valid name"),
    (_OF_ALL, "LOG_LEVEL", "verbose", "debug"),
    (_OF_ALL, "IDLE_TIMEOUT_S", "nan", "at most 86400"),
    (("worker",), "SIM_CONFIG", "{", "is not JSON"),
    (("worker",), "SIM_CONFIG", '{"systems": 1, "seed": -1, "x": 2}', "more errors"),
    (("worker",), "SIM_MAP", "/missing", "cannot be read"),
)

ROWS = [(service, name, value, message) for services, name, value, message in _TABLE for service in services]
