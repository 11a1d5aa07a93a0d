"""The errors that the client raises."""

from sector.models.deprecated_names import deprecated_names
from sector.models.printable import printable
from sector.models.responses import Problem


class ClientError(Exception):
    """The base class of the errors of the client.

    The text of an error is always printable, even if the API or a proxy sent control characters. Tracebacks end on
    terminals.
    """

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class RequestRejected(ClientError):
    """The API rejected the request.

    `problem`: the error that the API returned. `retry_after_s`: the seconds of its Retry-After header, 0 without one.
    """

    def __init__(self, problem: Problem, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s


class Unavailable(ClientError):
    """The API was unreachable, or answered only with temporary errors, until the retry timeout.

    `reason`: the last error, as text. `kind`: its class in one word, such as `ConnectError` or `503`.
    """

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


__getattr__ = deprecated_names(__name__, {"Refused": "RequestRejected"})
