"""`python -m sector.viz`: one viz process."""

from sector.process import load, run
from sector.viz.app import create_viz
from sector.viz.settings import VizSettings

_DESCRIPTION = (
    "sector-viz: serves a web page that shows a sim live.\n"
    "example: REDIS_URL=redis://localhost:6379/0 SIM_ID=default sector-viz"
)


def main() -> None:
    """Serve until a signal."""
    settings = load(VizSettings, about=_DESCRIPTION)
    run(create_viz(settings), settings, settings.port)


if __name__ == "__main__":
    main()
