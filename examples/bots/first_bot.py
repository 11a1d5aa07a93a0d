"""A first bot for Sector: it plays a faction until the world ends. It needs only Python. Ctrl-C stops it."""

import argparse
import json
import signal
import time
from http.client import HTTPException
from urllib.request import HTTPError, Request, urlopen

parser = argparse.ArgumentParser(description=__doc__, epilog="example: python first_bot.py --token TOKEN")
parser.add_argument("--api", default="http://127.0.0.1:8000", help="address of the API (default: %(default)s)")
parser.add_argument("--token", required=True, help="token of the faction (required); a world prints one for Me")
parser.add_argument("--faction", default="Me", help="faction to play (default: %(default)s)")
me = (args := parser.parse_args()).faction


def call(path, body=None, key=None):
    """Return the answer of the API. A request may be sent twice, but orders with the same key take effect once."""
    headers = {"Authorization": f"Bearer {args.token}", "Idempotency-Key": key or str(time.time_ns())}
    request = Request(args.api.rstrip("/") + path, body and json.dumps(body).encode(), headers)
    while True:
        try:
            return json.load(urlopen(request, timeout=20))
        except (OSError, HTTPException) as error:
            problem = error.read().decode() if isinstance(error, HTTPError) else error
            if isinstance(error, HTTPError) and error.code not in (429, 502, 503, 504):
                print(f"{request.full_url}: {problem}")
                raise SystemExit(error.code != 409) from None  # (409: the world ended)
        print(f"{request.full_url}: {problem}; trying again")
        time.sleep(1)


def choose(world, supply):
    """Yield orders for the borders: claim neutral neighbours while the supply lasts, and attack weak ones."""
    systems = {each["id"]: each for each in world["systems"]}
    for lane in world["lanes"]:
        for own, other in ((systems[lane["a"]], systems[lane["b"]]), (systems[lane["b"]], systems[lane["a"]])):
            ships = other["ships"] + other["growth"] * lane["length"] + 5
            border = own["owner"] == me != other["owner"]
            if border and other["owner"] is None and supply >= 20 + other["ships"]:
                yield {"type": "set_owner", "faction": me, "system": other["id"]}
                supply, other["owner"] = supply - 20 - other["ships"], me
            elif border and own["ships"] >= 2 * ships:
                yield {"type": "move_fleet", "faction": me, "system": own["id"], "target": other["id"], "ships": ships}
                own["ships"] -= ships


signal.signal(signal.SIGINT, signal.SIG_DFL)
join = call("/orders", {"type": "join", "faction": me})["id"]
if (joined := call(f"/orders/{join}?wait=15s"))["status"] == "rejected" and joined["reason"] != "already_joined":
    raise SystemExit(f"{me} cannot join: {joined['detail']}")
tick_ms = call("/sims/" + call("/snapshot")["sim"])["tick_length_ms"] or 500
while (world := call("/snapshot"))["status"] == "running":
    faction = next((each for each in world["factions"] if each["id"] == me), {"alive": True, "supply": 0})
    orders = list(choose(world, faction["supply"]))
    print(f"tick {world['tick']}, {'' if faction['alive'] else 'eliminated, '}{len(orders)} orders")
    _ = orders and call("/orders", orders, key=f"{join}-{world['tick']}")
    time.sleep(tick_ms / 1000)
print(f"The world ended at tick {world['tick']}. The winner: {world['winner']}")
