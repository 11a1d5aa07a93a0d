"""Access to Redis: URLs, clients, connections and pools, replies, durability, and texts for its errors."""
