"""Errors of a client of the API."""

from sector.models.deprecated_names import deprecated_names
from sector.models.printable import printable
from sector.models.responses import Problem


class ClientError(Exception):
    """A request that failed. Its text is printable, whatever the API or a proxy sent: tracebacks end on terminals."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class RequestRejected(ClientError):
    """The API rejected the request. `problem`: why. `retry_after_s`: when to try again, 0 if the response has no Retry-After."""

    def __init__(self, problem: Problem, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s


class Unavailable(ClientError):
    """The API was unreachable, or could not answer, until the retry timeout. `kind`: the cause in one word, such as
    `ConnectError` or `503`."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


__getattr__ = deprecated_names(__name__, {"Refused": "RequestRejected"})
