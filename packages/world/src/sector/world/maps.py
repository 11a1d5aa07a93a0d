"""`python -m sector.world.maps`: generates, validates and draws map files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from sector.models import SimConfig
from sector.models.error_texts import describe_error, list_causes
from sector.models.mapfile import read_map
from sector.models.printable import printable
from sector.models.regular_file import FileError
from sector.world.fairness import fairness
from sector.world.galaxy import Galaxy, GalaxyError
from sector.world.generate import generate
from sector.world.map_conversion import galaxy_from_map, map_from_galaxy
from sector.world.map_svg import render_svg

_NEAR_TICKS = 11


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 1 for an unplayable map, 2 for an unreadable file."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except ValidationError as error:
        for fault in list_causes(error):
            where = ".".join(str(part) for part in fault["loc"]) or "the map"
            print(printable(f"maps: {where}: {describe_error(fault)}"), file=sys.stderr)
    except FileError as error:
        print(printable(f"maps: {error}"), file=sys.stderr)
        return 2
    except (GalaxyError, OSError) as error:
        print(printable(f"maps: {error}"), file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sector.world.maps",
        description="Makes, checks and draws maps. A map file is JSON: systems, the lanes that join them, and homes."
        " A worker creates a sim on a map that SIM_CONFIG has as `map`.",
        epilog="example: python -m sector.world.maps make --systems 200 > map.json",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    make = commands.add_parser(
        "make", help="write a generated map to stdout", description="Writes the map of a seed to stdout."
    )
    make.add_argument(
        "--systems", type=int, default=60, metavar="N", help="number of systems, 2 to 100000 (default: %(default)s)"
    )
    make.add_argument(
        "--homes", type=int, default=6, metavar="N", help="number of homes, 1 to 1000 (default: %(default)s)"
    )
    make.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the map (default: %(default)s)")
    make.set_defaults(run=_make)
    check = commands.add_parser(
        "check",
        help="check whether a map can be played, and how fair it is",
        description="Checks whether a map can be played, and prints how fair it is.",
    )
    check.add_argument("file", type=Path, metavar="FILE", help="map file")
    check.set_defaults(run=_check)
    draw = commands.add_parser(
        "draw", help="write an SVG image of a map to stdout", description="Writes an SVG image of a map to stdout."
    )
    draw.add_argument("file", type=Path, metavar="FILE", help="map file")
    draw.set_defaults(run=_draw)
    return parser


def _make(given: argparse.Namespace) -> int:
    config = SimConfig(seed=given.seed, systems=given.systems, homes=given.homes, puppets=())
    print(map_from_galaxy(*generate(config)).model_dump_json(indent=1))
    return 0


def _read(path: Path) -> Galaxy:
    map_file = read_map(path)
    galaxy, _ = galaxy_from_map(map_file, SimConfig(map=map_file, puppets=()))
    return galaxy


def _check(given: argparse.Namespace) -> int:
    galaxy = _read(given.file)
    print(
        f"{len(galaxy.names)} systems, {len(galaxy.lane_a)} lanes of {galaxy.lane_length.mean():.1f} ticks on average"
    )
    fair = fairness(galaxy, _NEAR_TICKS)
    print(f"{len(galaxy.home)} homes")
    if len(galaxy.home) > 1:
        print(f"  the nearest other home is {fair.nearest_rival.min()} to {fair.nearest_rival.max()} ticks away")
    print(f"  within {fair.ticks} ticks of each grow {fair.growth.min()} to {fair.growth.max()} ships a tick")
    print(f"  and {fair.supply_yield.min()} to {fair.supply_yield.max()} supply a tick")
    return 0


def _draw(given: argparse.Namespace) -> int:
    print(render_svg(_read(given.file)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
