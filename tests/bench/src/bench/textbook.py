"""The textbook baseline of the API: FastAPI, uvicorn, redis-py, the same model, and one XADD per request."""

import os

import uvicorn
from fastapi import FastAPI
from redis.asyncio import Redis
from redis.typing import EncodableT, FieldT

from sector.models import ORDER, Order


def main() -> None:
    """Serve until a signal."""
    app, redis = FastAPI(), Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)

    @app.post("/orders", status_code=202)
    async def post_order(order: Order) -> dict[str, str]:
        fields: dict[FieldT, EncodableT] = {"issuer": "anonymous", "scope": "player", "order": ORDER.dump_json(order)}
        order_id = await redis.xadd("sim:{textbook}:orders", fields)
        return {"id": str(order_id), "status": "pending"}

    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
