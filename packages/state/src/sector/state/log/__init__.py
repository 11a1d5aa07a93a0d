"""The order log: admission with its rate limits, and the stream of accepted orders."""
