"""`python -m sector.viz`: one viz process."""

from sector.process import load, run
from sector.viz.app import create_viz
from sector.viz.settings import VizSettings


def main() -> None:
    """Serve until a signal."""
    settings = load(VizSettings, about="sector-viz: serves a web page that shows a sim live.")
    run(create_viz(settings), settings, settings.port)


if __name__ == "__main__":
    main()
