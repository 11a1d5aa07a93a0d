"""Planet Wars: the match, its text formats, and the command that plays it between programs."""

import os
import signal
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import plain_planet_wars as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.long import max_examples
from fixtures.processes import environment, run_module
from fixtures.waiting import wait_until
from sector.world.classic.__main__ import main
from sector.world.classic.match import Match, RuleViolation
from sector.world.classic.text import (
    ClassicFleet,
    MapTextError,
    Move,
    Planet,
    distance,
    parse_map,
    parse_order,
    playback_start,
    playback_turn,
    state_text,
)

MAP = """\
# Example map

P 0    0    1 34 2  # Player one's home planet.
P 7    9    2 34 2  # Player two's home planet.
P 3.14 2.71 0 15 5  # A neutral planet with real-number coordinates.

F 1 15 0 1 12 2
F 2 28 1 2  8 4
"""

_coordinates = st.floats(-20, 20).map(lambda number: round(number, 7))
_planets = st.builds(
    Planet, x=_coordinates, y=_coordinates, owner=st.integers(0, 3), ships=st.integers(0, 60), growth=st.integers(0, 5)
)
_moves = st.builds(Move, source=st.integers(-1, 6), target=st.integers(-1, 6), ships=st.integers(-1, 9))


@st.composite
def _maps(draw: st.DrawFn) -> tuple[list[Planet], list[ClassicFleet]]:
    planets = draw(st.lists(_planets, min_size=2, max_size=6, unique_by=lambda planet: (planet.x, planet.y)))
    number = st.integers(0, len(planets) - 1)
    turns = st.integers(1, 9)
    fleet = st.builds(
        ClassicFleet, st.integers(1, 3), st.integers(0, 40), number, number, turns.map(lambda n: n + 9), turns
    )
    return planets, draw(st.lists(fleet, max_size=4))


@settings(max_examples=max_examples(200), deadline=None)
@given(_maps(), st.lists(st.lists(st.tuples(st.integers(1, 3), _moves), max_size=5), max_size=25), st.integers(1, 20))
def test_a_match_equals_the_simple_implementation_in_every_turn(
    start: tuple[list[Planet], list[ClassicFleet]], turns: list[list[tuple[int, Move]]], max_turns: int
) -> None:
    planets, fleets = start
    match = Match(planets, fleets, 3, max_turns)
    game = plain.Game(
        [plain.Planet(*astuple(each)) for each in planets], [plain.Fleet(*astuple(each)) for each in fleets], max_turns
    )
    for orders in turns:
        if match.winner() is not None:
            break
        for player, move in orders:
            # Most orders are valid: from a planet of the player, with at most the ships that are there.
            own = [n for n, each in enumerate(match.planets()) if each.owner == player]
            if own and move.ships >= 0 and move.source != 0:
                source = own[move.source % len(own)]
                move = Move(source, move.target, min(move.ships, match.planets()[source].ships))
            try:
                match.order(player, move)
                allowed = True
            except RuleViolation:
                match.drop(player)
                allowed = False
            assert game.order(player, *astuple(move)) is allowed
        match.step()
        game.step()
        assert playback_turn(match.planets(), match.fleets()) == game.playback()
        winner = match.winner()
        assert (-1 if winner is None else winner) == game.winner()


@pytest.mark.parametrize(("ships", "winner"), [(33, 1), (34, 0), (35, 2)])
def test_after_the_last_turn_the_most_ships_win(ships: int, winner: int) -> None:
    match = Match([Planet(0, 0, 1, 34, 2), Planet(7, 9, 2, ships, 2)], [], players=2, max_turns=1)
    match.step()
    assert match.winner() is None
    match.step()
    assert match.winner() == winner


def test_the_example_map_of_the_contest_is_valid() -> None:
    planets, fleets = parse_map(MAP)
    assert planets[2] == Planet(3.14, 2.71, 0, 15, 5)
    assert fleets[1] == ClassicFleet(2, 28, 1, 2, 8, 4)
    assert distance(planets[0], planets[1]) == 12


def test_each_player_receives_the_state_as_player_one() -> None:
    planets, fleets = parse_map(MAP)
    lines = state_text(planets, fleets, 2).splitlines()
    assert lines[:2] == ["P 0.000000 0.000000 2 34 2", "P 7.000000 9.000000 1 34 2"]
    assert lines[3:] == ["F 2 15 0 1 12 2", "F 1 28 1 2 8 4", "go"]
    assert parse_map(state_text(planets, fleets, 1).removesuffix("go\n")) == (planets, fleets)


def test_a_playback_begins_with_the_planets() -> None:
    assert playback_start(parse_map(MAP)[0]) == "0.0,0.0,1,34,2:7.0,9.0,2,34,2:3.14,2.71,0,15,5|"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a map without a planet"),
        ("P 0 0 1 34", "line 1: P with 4 fields"),
        ("P 0 0 1 34 2\nQ 1", "line 2: Q with 1 fields"),
        ("P 0 nan 1 34 2", "coordinate nan is beyond"),
        ("P 0 zero 1 34 2", "coordinate 'zero' is not a number"),
        ("P 0 1e9 1 34 2", "coordinate 1e9 is beyond"),
        ("P 0 0 -1 34 2", "owner -1 is not between 0 and 1000"),
        ("P 0 0 1 1_0 2", "ships '1_0' is not an integer"),
        ("P 0 0 1 99999999999999 2", "ships 99999999999999 is not between"),
        ("P 0 0 1 1 2\nF 1 5 0 3 9 9", "line 2: a fleet between planets 0 and 3 of 1"),
    ],
)
def test_an_error_of_a_map_has_its_line(text: str, message: str) -> None:
    with pytest.raises(MapTextError, match=message):
        parse_map(text)


@pytest.mark.parametrize(
    ("line", "move"), [("1 17 50", Move(1, 17, 50)), ("", None), ("hello", None), ("1  2 3", None)]
)
def test_a_line_without_three_words_is_ignored(line: str, move: Move | None) -> None:
    assert parse_order(line) == move


def test_three_words_that_are_no_integers_are_an_error() -> None:
    with pytest.raises(ValueError, match="three integers"):
        parse_order("a b c")


@pytest.mark.parametrize(
    ("move", "reason"),
    [
        (Move(0, 3, 1), "there are planets 0 to 2, and not 0 or not 3"),
        (Move(-1, 0, 1), "there are planets 0 to 2, and not -1 or not 0"),
        (Move(1, 0, 1), "planet 1 is not player 1's"),
        (Move(0, 0, 1), "ships from planet 0 to itself"),
        (Move(0, 1, 35), "35 ships from planet 0, which has 34"),
        (Move(0, 1, -1), "-1 ships from planet 0, which has 34"),
    ],
)
def test_an_invalid_order_states_the_broken_rule(move: Move, reason: str) -> None:
    with pytest.raises(RuleViolation, match=reason):
        Match(*parse_map(MAP), players=2, max_turns=10).order(1, move)


def test_an_order_beyond_the_maximum_of_fleets_breaks_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sector.world.classic.match.MAX_FLEETS", 3)
    match = Match(*parse_map(MAP), players=2, max_turns=10)
    match.order(1, Move(0, 1, 1))
    with pytest.raises(RuleViolation, match="3 fleets are in flight"):
        match.order(1, Move(0, 1, 1))


BOTS = {
    "idle": "print('go', flush=True)",
    "grabby": "print('0 2 20' if turn == 1 else '', flush=True); print('GO', flush=True)",
    "cheat": "print('0 1 999', flush=True); print('go', flush=True)",
    "thief": "print('1 0 1', flush=True); print('go', flush=True)",
    "mumbler": "print('one two three', flush=True); print('go', flush=True)",
    "painter": "print('\\x1b[31m \\x9b2J \\u202e', flush=True); print('go', flush=True)",
    "crasher": "sys.exit(3)",
    "babbler": "print('1' * 10_000_000, flush=True)",
    "witness": "print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(60)",
    "sleeper": "time.sleep(60)",
    "deaf": "print('0 1 5', flush=True); time.sleep(60)",
}


def _bot(folder: Path, name: str) -> str:
    path = folder / f"{name}.py"
    path.write_text(
        "import os, sys, time\nturn = 0\nfor line in sys.stdin:\n"
        f"    if line.strip() != 'go':\n        continue\n    turn += 1\n    {BOTS[name]}\n"
    )
    return f"{sys.executable} {path}"


def _play(folder: Path, *bots: str, turn_ms: int = 20_000, turns: int = 6) -> subprocess.CompletedProcess[str]:
    (folder / "map.txt").write_text("P 0 0 1 34 2\nP 7 9 2 34 2\nP 3 3 0 15 5\n")
    commands = [_bot(folder, name) if name in BOTS else name for name in bots]
    return run_module("sector.world.classic", "map.txt", str(turn_ms), str(turns), "log.txt", *commands, folder=folder)


def test_two_programs_play_a_match_to_its_last_turn(tmp_path: Path) -> None:
    done = _play(tmp_path, "grabby", "idle")
    assert done.returncode == 0
    # The engine of the contest counts ships after more than MAX_TURNS turns.
    assert done.stderr.splitlines() == [f"Turn {turn}" for turn in range(1, 8)] + ["Player 2 Wins!"]
    start, turns = done.stdout.split("|")
    assert start == "0.0,0.0,1,34,2:7.0,9.0,2,34,2:3.0,3.0,0,15,5"
    game = plain.Game([plain.Planet(0, 0, 1, 34, 2), plain.Planet(7, 9, 2, 34, 2), plain.Planet(3, 3, 0, 15, 5)], [], 6)
    game.order(1, 0, 2, 20)
    expected = ""
    while game.winner() < 0:
        game.step()
        expected += game.playback()
    assert turns == expected + "\n"
    log = (tmp_path / "log.txt").read_text()
    assert "engine > player2: P 0.000000 0.000000 2 34 2\n" in log
    assert "player1 > engine: 0 2 20\n" in log


@pytest.mark.parametrize(
    ("bot", "message"),
    [
        ("cheat", "WARNING: player 1 broke a rule: 999 ships from planet 0, which has 34."),
        ("thief", "WARNING: player 1 broke a rule: planet 1 is not player 1's."),
        ("mumbler", "WARNING: player 1 sent an invalid order: 'one two three' is not three integers."),
        ("crasher", "WARNING: player 1 crashed."),
        ("babbler", "WARNING: player 1 crashed."),
        ("sleeper", "WARNING: player 1 timed out."),
        ("deaf", "WARNING: player 1 timed out."),
    ],
)
def test_a_program_that_breaks_a_rule_crashes_or_times_out_is_dropped(tmp_path: Path, bot: str, message: str) -> None:
    # The opponent is a shell, which starts faster than Python on a busy machine.
    (tmp_path / "prompt.sh").write_text('while read line; do [ "$line" = go ] && echo go; done\n')
    done = _play(tmp_path, bot, f"sh {tmp_path}/prompt.sh", turn_ms=800 if bot in ("sleeper", "deaf") else 20_000)
    assert done.stderr.splitlines() == [message, "Turn 1", "Player 2 Wins!"]
    planets = "0.29,2.36,0.15" if bot == "deaf" else "0.34,2.36,0.15"  # what left before is lost
    assert done.stdout.split("|")[1] == planets + ":\n"


def test_output_of_programs_cannot_control_the_terminal(tmp_path: Path) -> None:
    done = _play(tmp_path, "painter", "idle")
    log = (tmp_path / "log.txt").read_text()
    assert "player1 > engine: \\x1b[31m" in log
    assert all(line.isprintable() for line in (*log.split("\n"), *done.stderr.split("\n")))


def test_two_players_that_are_dropped_together_draw(tmp_path: Path) -> None:
    assert _play(tmp_path, "crasher", "cheat").stderr.splitlines()[-1] == "Draw!"


def test_equal_ships_at_the_end_are_a_draw(tmp_path: Path) -> None:
    assert _play(tmp_path, "idle", "idle", turns=2).stderr.splitlines()[-2:] == ["Turn 3", "Draw!"]


def test_an_unplayable_match_is_an_error_with_a_reason(tmp_path: Path) -> None:
    done = _play(tmp_path, "idle", "/nowhere/bot")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ERROR: failed to start client: /nowhere/bot: ")
    (tmp_path / "bad.txt").write_text("P 0 0 1\n")
    done = run_module("sector.world.classic", "bad.txt", "100", "10", "log.txt", "true", "true", folder=tmp_path)
    assert done.returncode == 1
    assert "bad.txt: line 1: P with 3 fields" in done.stderr


@pytest.mark.parametrize("turn_ms", ["-1", str(2**31), "soon"])
def test_a_number_out_of_range_is_an_error_of_the_command_line(
    turn_ms: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["map.txt", turn_ms, "10", "log.txt", "true", "true"])
    assert ended.value.code == 2
    assert "argument TURN_MS" in capsys.readouterr().err


def test_ctrl_c_ends_a_match_and_its_programs(tmp_path: Path) -> None:
    (tmp_path / "map.txt").write_text(MAP)
    bots = [_bot(tmp_path, "witness"), _bot(tmp_path, "idle")]
    command = [sys.executable, "-m", "sector.world.classic", "map.txt", "60000", "10", "log.txt", *bots]
    playing = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    pid = int(wait_until(lambda: (tmp_path / "pid").read_text(), "a program that plays", errors=(FileNotFoundError,)))
    playing.send_signal(signal.SIGINT)
    assert playing.wait(timeout=60) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_help_explains_the_protocol() -> None:
    shown = run_module("sector.world.classic", "--help").stdout
    assert "MAP" in shown
    assert "a line `go`" in shown
