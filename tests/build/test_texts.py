"""`.ci/texts.py`: user-visible texts change only together with the reviewed list."""

from pathlib import Path

import pytest
from texts import collect, main

CODE = """
'''A module of the API.'''
import logging

log = logging.getLogger(__name__)


class SimError(Exception):
    def __init__(self, sim_id):
        super().__init__(f"sim {sim_id!r} is damaged: restore it")


def load(parser, health, count):
    log.warning("lease release failed", extra={"sim": "default", "error": str(count)})
    parser.add_argument("--data", metavar="DIR", help="folder of the data")
    health.set_error("redis", "Redis is unreachable")
    raise ValueError(f"{count} is not a number; {'use a positive one' if count else ''}")
"""
LISTED = """\
api error: sim {} is damaged: restore it
api error: use a positive one
api error: {} is not a number; {}
api help: folder of the data
api log: lease release failed
api text: Redis is unreachable
"""


SAMPLE = "services/api/src/sector/api/sample.py"


def write(root: Path, source: str, path: str = SAMPLE) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(source)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose list has all of its texts."""
    write(tmp_path, CODE)
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/texts.txt").write_text(LISTED)
    return tmp_path


def test_every_kind_of_text_is_listed(checkout: Path) -> None:
    texts, problems = collect(checkout)
    assert "".join(f"{text}\n" for text in texts) == LISTED
    assert problems == []
    assert main([], checkout) == 0


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("services/viz/src/sector/viz/page/panels/tabs.js", 'tab.title = "Orders";\n', "viz text: Orders"),
        ("services/viz/src/sector/viz/page/index.html", "<title>Sector</title>\n", "viz text: Sector"),
        (
            "packages/typescript-client/src/client.ts",
            'throw new TypeError("no url");\n',
            "typescript-client error: no url",
        ),
        (
            "packages/state/src/sector/state/log/admit.lua",
            "return redis.error_reply('no log')\n",
            "state error: no log",
        ),
        ("pants", "#!/bin/sh\necho 'no Python' >&2\n", "pants error: no Python"),
        ("docker/backup.sh", "#!/bin/sh\necho 'no disk' >&2\n", "docker error: no disk"),
        ("k8s/redis/backup.sh", "#!/bin/sh\necho 'no disk' >&2\n", "k8s error: no disk"),
        (".ci/run", "#!/usr/bin/env bash\necho 'no engine' >&2\n", ".ci error: no engine"),
    ],
)
def test_texts_of_every_language_are_listed(
    checkout: Path, path: str, text: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(checkout, text, path)
    assert main([], checkout) == 1
    assert f"texts: new: {line}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path",
    [
        "services/viz/src/sector/viz/page/vendor/chart.js",
        "packages/typescript-client/src/schema.ts",
        "packages/typescript-client/node_modules/library/src/index.js",
    ],
)
def test_third_party_and_generated_code_is_not_read(checkout: Path, path: str) -> None:
    write(checkout, 'throw new Error("no url");\n', path)
    assert main([], checkout) == 0


def test_a_new_text_fails_until_the_list_is_written(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(checkout, CODE.replace("is damaged: restore it", "is damaged: delete it"))
    assert main([], checkout) == 1
    report = capsys.readouterr().err
    assert "new: api error: sim {} is damaged: delete it" in report
    assert "gone: api error: sim {} is damaged: restore it" in report
    assert "python .ci/texts.py --write" in report
    assert main(["--write"], checkout) == 0
    assert main([], checkout) == 0


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ('log.info(f"sim {sim} finished")', "a log event must be a constant"),
        ('log.info("sim " + sim)', "a log event must be a constant"),
        ('log.info("sim %s finished", sim)', "must not contain values"),
        ('self._log.exception("sim finished", sim)', "must not contain values"),
        ('log.info("one two three four five six seven eight nine")', "at most 8 words"),
        ('log.info("sim finished", extra={"name": sim})', "'name' in `extra` is reserved"),
        ('log.info("sim finished", extra={"args": sim})', "'args' in `extra` is reserved"),
        ('log.info("sim founded")', '"founded" is a banned word'),
        ('raise ValueError("the lease lapsed")', '"lapsed" is a banned word'),
        ('text = f"{sim} is held by nobody"', '"nobody" is a banned word'),
        ('extra = {"name": sim}\nlog.info("sim finished", extra=extra)', "'name' in `extra` is reserved"),
    ],
)
def test_a_text_that_breaks_a_rule_fails(checkout: Path, statement: str, reason: str) -> None:
    write(checkout, f"{CODE}\n{statement}\n")
    _, (problem, *_) = collect(checkout)
    assert problem.path == SAMPLE
    assert reason in problem.reason


def test_a_banned_word_fails_in_every_language(checkout: Path) -> None:
    write(checkout, "\nstatus.textContent = `nobody is connected`;\n", "services/viz/src/sector/viz/page/app.js")
    _, (problem,) = collect(checkout)
    assert str(problem) == ('services/viz/src/sector/viz/page/app.js:2: "nobody" is a banned word: nobody is connected')


@pytest.mark.parametrize(
    "statement",
    [
        '"""A docstring that nobody reads."""',
        'Counter("sector_sims", "Sims that were founded.")',
        'name = "founded"',
        "math.log(2)",
    ],
)
def test_other_strings_are_not_listed(checkout: Path, statement: str) -> None:
    write(checkout, f"{CODE}\n{statement}\n")
    assert main([], checkout) == 0
