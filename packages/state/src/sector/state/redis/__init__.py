"""Access to Redis: URLs, clients, connections and pools, replies, durability, and what its errors mean."""
