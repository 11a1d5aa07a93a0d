"""Settings, requests and messages of version 0.11 work for one minor version."""

import pytest
from spectator import Spectate

from fixtures.earlier_names import assert_renamed
from fixtures.processes import Service
from fixtures.sim import Sim
from sector.process import load
from sector.viz.settings import VizSettings

pytest_plugins = ("spectating",)


@pytest.mark.parametrize(("earlier", "now"), [("MOST_SPECTATORS", "max_spectators"), ("MOST_BEHIND", "max_backlog")])
def test_an_earlier_name_sets_the_setting(monkeypatch: pytest.MonkeyPatch, earlier: str, now: str) -> None:
    monkeypatch.setattr("sys.argv", ["viz"])
    monkeypatch.setenv(earlier, "7")
    assert getattr(load(VizSettings, about=""), now) == 7


@pytest.mark.parametrize("event", ["heartbeat", "beat"])
async def test_a_heartbeat_is_acknowledged(viz: Service, sim: Sim, spectate: Spectate, event: str) -> None:
    await sim.tick()
    spectator = await spectate(viz, alone=True)
    assert await spectator.client.call(event, timeout=30) is None


@pytest.mark.parametrize(("earlier", "now"), [("Totals", "FactionTotals"), ("totals_of", "FactionTotals.from_frame")])
def test_an_earlier_name_of_totals_is_the_new_one(earlier: str, now: str) -> None:
    assert_renamed(f"sector.viz.timeline.{earlier}", f"sector.models.faction_totals.{now}")
