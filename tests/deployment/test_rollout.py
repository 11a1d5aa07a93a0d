"""A rolling update of every service under load fails no request and loses no order."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx

from deployment.cluster import Cluster
from deployment.order_load import OrderLoad, outcomes
from deployment.rendered import BASE, Rendered
from fixtures.nginx import require_nginx
from fixtures.processes import free_port

HOST = {"Host": "sector.local"}


async def test_a_rollout_under_load_fails_no_request_and_loses_no_order(
    engine: str, images: Mapping[str, str], tmp_path: Path
) -> None:
    nginx = require_nginx()
    for each in (tmp_path, *list(tmp_path.parents)[:3]):
        each.chmod(0o755)
    repositories = {f"sector-{service}": image for service, image in images.items()}
    cluster = Cluster(Rendered.of(BASE), repositories, engine, nginx, free_port(), tmp_path)
    url = f"http://127.0.0.1:{cluster.gate.port}"
    try:
        await asyncio.to_thread(cluster.start)
        before = httpx.get(f"{url}/api/snapshot", headers=HOST).json()["tick"]
        async with OrderLoad(url, HOST, players=4) as load:
            for name in ("api", "worker", "viz", "bot"):
                accepted = len(load.record.orders)
                codes = await asyncio.to_thread(cluster.roll_out, name)
                assert set(codes) == {0}, f"{name} ended by itself, in time"
                assert len(load.record.orders) > accepted, f"orders went on while {name} was replaced"
        record = load.record
        assert record.faults == []
        assert record.answers.keys() == {200, 202}
        assert record.answers[202] == len(set(record.orders))
        ends = await outcomes(url, HOST, record.orders)
        # These players do not defend themselves, so orders of conquered ones are rejected. Each order has an outcome.
        assert ends.keys() <= {"applied", "rejected eliminated"}
        assert ends.total() == len(record.orders)
        after = httpx.get(f"{url}/api/snapshot", headers=HOST).json()["tick"]
        assert after > before
        print(
            f"{sum(record.answers.values())} requests, {len(record.orders)} orders, {after - before} ticks; {dict(ends)}"
        )
    finally:
        cluster.gate.close()


def test_the_load_records_failures(tmp_path: Path) -> None:
    """If nothing listens, each request is recorded as failed. So the test above cannot pass by accident."""

    async def ordered() -> list[str]:
        async with OrderLoad(f"http://127.0.0.1:{free_port()}", HOST, players=1) as load:
            await asyncio.sleep(0.1)
        return load.record.faults

    assert asyncio.run(ordered())
