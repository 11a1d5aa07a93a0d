"""What can go wrong between a client and the API."""

from sector.models.answers import Problem
from sector.models.printable import printable


class ClientError(Exception):
    """A request that did not succeed. Its text is printable, whatever the API or a proxy sent: tracebacks end on terminals."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class Refused(ClientError):
    """The API said no, and would say so again. `problem`: why. `retry_after_s`: when to try again, where it said so."""

    def __init__(self, problem: Problem, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s


class Unavailable(ClientError):
    """The API was not reached, or could not do its work, for as long as the client is patient. `kind`: in one word, such as
    `ConnectError` or `503`."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
