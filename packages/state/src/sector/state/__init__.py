"""The state of sims in Redis: commits, leases, history, the order log, and the lifecycle of sims.

No other package uses Redis keys.
"""

from sector.models.deprecated_names import deprecate_modules

deprecate_modules(
    {
        f"{__name__}.{earlier}": f"{__name__}.{module}"
        for earlier, module in {
            "admission": "log.admission",
            "at_head": "tick.head_state",
            "connect": "redis.client",
            "durability": "redis.durability",
            "export": "sims.exporter",
            "faults": "redis.error_messages",
            "followed": "watch.sim_watcher",
            "fork": "sims.fork",
            "founding": "sims.requests",
            "group_commit": "redis.group_commit",
            "head": "tick.head",
            "importing": "sims.importer",
            "lease": "tick.lease",
            "link": "redis.connection",
            "lookup": "sims.lookup",
            "memory": "redis.memory",
            "orders": "log.order_log",
            "outcomes": "history.outcomes",
            "pool": "redis.pool",
            "reader": "watch.reader",
            "redis_health": "redis.health",
            "redis_url": "redis.url",
            "replies": "redis.replies",
            "reservation": "sims.reservation",
            "retention": "history.retention",
            "roll_forward": "history.roll_forward",
            "roster": "tick.membership",
            "round_trips": "redis.round_trips",
            "spending": "log.rate_usage",
            "ticker": "tick.transaction",
            "tls": "redis.tls",
        }.items()
    }
)
