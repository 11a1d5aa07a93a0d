"""`python -m sector.api`: one API process. `python -m sector.api token`: a token for it. `python -m sector.api openapi`: its document."""

import logging
import sys

from sector.api import openapi, token
from sector.api.app import create_api
from sector.api.settings import ApiSettings
from sector.process import load, run

log = logging.getLogger(__name__)

_ABOUT = (
    "sector-api: takes orders for a sim and shows its state.\n"
    "sector-api token --faction NAME: prints a token for it; sector-api token --help tells more.\n"
    "sector-api openapi: prints its OpenAPI document, from which clients can be generated."
)
_OPEN = "OPEN: anyone who reaches this API may order for any faction, and found sims; set AUTH_SECRET or AUTH_JWKS"


def main() -> None:
    """Serve until a signal."""
    if sys.argv[1:2] == ["token"]:
        sys.exit(token.main(sys.argv[2:]))
    if sys.argv[1:2] == ["openapi"]:
        sys.exit(openapi.main(sys.argv[2:]))
    settings = load(ApiSettings, about=_ABOUT)
    app = create_api(settings)
    if settings.is_open:
        app.before_server_start(lambda _: log.warning(_OPEN))
    run(app, settings, settings.port)


if __name__ == "__main__":
    main()
