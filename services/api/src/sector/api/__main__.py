"""`python -m sector.api` runs an API process. With `token` it prints a token, with `openapi` the OpenAPI document."""

import logging
import sys

from sector.api import openapi, token
from sector.api.app import create_api
from sector.api.settings import ApiSettings
from sector.process import load, run

log = logging.getLogger(__name__)

_DESCRIPTION = (
    "sector-api: accepts orders for sims, and serves their state and events.\n"
    "sector-api token --faction NAME: prints a token; see sector-api token --help.\n"
    "sector-api openapi: prints the OpenAPI document, from which clients can be generated.\n"
    "example: REDIS_URL=redis://localhost:6379/0 AUTH_SECRET=... sector-api"
)
_OPEN = {
    "effect": "every client of this API may submit orders for any faction and create sims",
    "action": "set AUTH_SECRET or AUTH_JWKS",
}


def main() -> None:
    """Serve until a signal."""
    if sys.argv[1:2] == ["token"]:
        sys.exit(token.main(sys.argv[2:]))
    if sys.argv[1:2] == ["openapi"]:
        sys.exit(openapi.main(sys.argv[2:]))
    settings = load(ApiSettings, about=_DESCRIPTION)
    app = create_api(settings)
    if settings.is_open:
        app.before_server_start(lambda _: log.warning("authentication is disabled", extra=_OPEN))
    run(app, settings, settings.port)


if __name__ == "__main__":
    main()
