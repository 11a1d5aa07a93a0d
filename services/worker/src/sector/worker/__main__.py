"""`python -m sector.worker`: one worker process."""

from sector.process import Health, attach, create_app, load, run, sample
from sector.process.memory import keep_freed_memory
from sector.process.tracing import Traces
from sector.state.redis.client import connect
from sector.worker.settings import WorkerSettings
from sector.worker.sim_errors import SIMS
from sector.worker.worker import REDIS, Worker
from sector.world import SectorWorld

_DESCRIPTION = (
    "sector-worker: ticks the sims whose lease it owns.\n"
    "example: REDIS_URL=redis://localhost:6379/0 SIM_ID=default sector-worker"
)


def main() -> None:
    """Run a worker until a signal."""
    keep_freed_memory()
    settings = load(WorkerSettings, about=_DESCRIPTION)
    health = Health("worker", REDIS, SIMS)
    # No command may take longer than the lease: the lease would expire before the response.
    redis = connect(settings.redis_url, timeout_s=min(3.0, max(1.0, settings.lease_ttl_ms / 1000)))
    traces = Traces.from_settings(settings, "sector-worker")
    worker = Worker(settings, redis, SectorWorld(), health, traces)
    app = create_app(health, worker.details)
    sample(app, worker.sample)
    attach(app, "worker", worker.run)
    app.after_server_stop(lambda _: redis.aclose())
    app.after_server_stop(lambda _: traces.close())
    run(app, settings, settings.health_port)


if __name__ == "__main__":
    main()
