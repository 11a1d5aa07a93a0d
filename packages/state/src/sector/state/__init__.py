"""All that knows a Redis key: lease, tick transaction, order log, events, keyframes."""
