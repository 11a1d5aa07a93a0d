"""Settings that cannot be meant: who reads them, which, its value, and what is said of it. A new case is one line."""

SECRET_PART = "hunter2"
"""In every secret of the table: it may be nowhere in what a process says."""
_SECRET = f"{SECRET_PART}-{'x' * 32}"

_OF_REDIS = ("api", "viz", "worker", "standalone")
_OF_ALL = ("api", "viz", "worker", "bot")

_TABLE: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (_OF_REDIS, "REDIS_URL", "redis://h/notadb", "no database"),
    (("api",), "REDIS_URL", "redis://h/1/x", "no database"),
    (("worker",), "REDIS_URL", "redis://h/l", "no database"),
    (_OF_REDIS, "REDIS_URL", f"redis://u:{_SECRET}/x@h:1/0", "in a password write"),
    (("api",), "REDIS_URL", f"redis://u:{_SECRET}#x@h:1/0", "in a password write"),
    (("viz",), "REDIS_URL", f"redis+cluster://u:{_SECRET}?x@h:1", "in a password write"),
    (("worker",), "REDIS_URL", f"redis+sentinel://u:[{_SECRET}]@h/world", "a host or a port is invalid"),
    (("viz",), "REDIS_URL", f"redis://:{_SECRET}", "a host or a port is invalid"),
    (("api",), "REDIS_URL", "redis+cluster://h:1/0?tls=true", "unknown parameter"),
    (("worker",), "REDIS_URL", "redis://h:99999", "a host or a port is invalid"),
    (("viz",), "REDIS_URL", "redis://h?socket_timeout=abc", "socket_timeout"),
    (("api",), "REDIS_URL", "rediss://h?ssl_ca_certs=/missing", "no file that can be read"),
    (("bot",), "API_URL", "http://[::1", "brackets"),
    (("bot",), "API_URL", "http://h:99999", "a port"),
    (("bot",), "API_URL", f"http://u:{_SECRET}@h", "a user or a password"),
    (("viz",), "API_URL", "http://[::1", "brackets"),
    (("viz",), "API_URL", "//elsewhere.example", "no path"),
    (("bot",), "API_TOKEN", f"{_SECRET} {_SECRET}", "spaces"),
    (("bot",), "API_TOKEN", f"{_SECRET}\u00fc", "not ASCII"),
    (("bot",), "API_TOKEN", f"{_SECRET}\n{_SECRET}", "line break"),
    (("bot",), "API_TOKEN", f"'{_SECRET}'", "in quotes"),
    (("api", "standalone"), "AUTH_SECRET", f'"{_SECRET}"', "in quotes"),
    (("api", "standalone"), "AUTH_SECRET", f"{_SECRET}\n{_SECRET}", "line break"),
    (("api", "standalone"), "AUTH_SECRET", SECRET_PART, "too few"),
    (("api",), "AUTH_SECRET", " ", "too few"),
    (("api",), "CORS_ORIGINS", "https://play.example.org?x", "a query"),
    (("api",), "CORS_ORIGINS", f"https://u:{_SECRET}@play.example.org", "a user or a password"),
    (("api",), "CORS_ORIGINS", "https://play.example.org/page", "no path"),
    (("api",), "CORS_ORIGINS", "https://play.example.org:port", "a port"),
    (("api", "viz", "worker"), "TRACES_URL", f"https://u:{_SECRET}@:1", "no valid name"),
    (("api",), "TRACES_URL", f"https://collector?token={_SECRET}", "a query"),
    (_OF_ALL, "HOST", "127.0.0.1:80", "no valid name"),
    (_OF_ALL, "LOG_LEVEL", "verbose", "debug"),
    (_OF_ALL, "IDLE_TIMEOUT_S", "nan", "at most 86400"),
    (("worker",), "SIM_CONFIG", "{", "is not JSON"),
    (("worker",), "SIM_CONFIG", '{"systems": 1, "seed": -1, "x": 2}', "more errors"),
    (("worker",), "SIM_MAP", "/missing", "cannot be read"),
)

ROWS = [(service, name, value, message) for services, name, value, message in _TABLE for service in services]
