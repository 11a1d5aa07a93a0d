"""`python -m sector.worker`: one worker process."""

from sector.process import Health, attach, create_app, load, run, sample
from sector.process.memory import keep_freed_memory
from sector.process.tracing import Traces
from sector.state.redis.client import connect
from sector.worker.settings import WorkerSettings
from sector.worker.sim_errors import SIMS
from sector.worker.worker import REDIS, Worker
from sector.world import SectorWorld


def main() -> None:
    """Run a worker until a signal."""
    keep_freed_memory()
    settings = load(WorkerSettings, about="sector-worker: ticks the sims whose lease it owns.")
    health = Health("worker", REDIS, SIMS)
    # A command that takes longer than the lease lasts has lost it.
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
