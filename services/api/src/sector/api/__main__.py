"""`python -m sector.api`: one API process."""

import logging

from sector.api.app import create_api
from sector.api.settings import ApiSettings
from sector.process import load, run

log = logging.getLogger(__name__)


def main() -> None:
    """Serve until a signal."""
    settings = load(ApiSettings, about="sector-api: takes orders for a sim and shows its state.")
    app = create_api(settings)
    app.before_server_start(lambda _: log.warning("open: anyone who reaches this API may order for any faction"))
    run(app, settings, settings.port)


if __name__ == "__main__":
    main()
