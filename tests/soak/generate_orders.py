#!/usr/bin/env python3
"""Writes commands for a replay: stock, then orders with shipments, cancels, declines and shortages.

usage: generate_orders.py ORDERS [--seed N] [--skus N] [--most-lines N] [--plain]

Orders have from 1 to --most-lines lines [2000], mostly few. --plain: one line, ample stock, no cancels.
The same arguments give the same bytes.
"""
import argparse
import json
import random
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("orders", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skus", type=int, default=2000)
    parser.add_argument("--most-lines", type=int, default=2000)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    out = sys.stdout

    def put(command):
        out.write(json.dumps(command, separators=(",", ":")) + "\n")

    for sku in range(options.skus):
        ample = 1_000_000 if options.plain else chance.choice([50, 1_000, 1_000_000])
        put({"op": "stock.receive", "receipt_id": f"open-{sku}", "sku": f"sku-{sku}", "quantity": ample})
    for number in range(options.orders):
        lines = 1
        if not options.plain:  # a heavy tail: half of the orders have up to 3 lines, one in 50 the most
            lines = chance.choice([1, 2, 3]) if chance.random() < 0.5 else int(2 + 20 * chance.random() ** 2)
            if chance.random() < 0.02:
                lines = chance.randint(1, options.most_lines)
        order = {"op": "order.place", "order_id": f"g-{number}", "customer_id": f"c-{number % 997}",
                 "currency": "EUR", "payment": {"method": "card"},
                 "lines": [{"sku": f"sku-{chance.randrange(options.skus)}", "quantity": chance.randint(1, 3),
                            "unit_price": chance.randint(0, 50_000)} for _ in range(lines)]}
        if not options.plain and chance.random() < 0.05:
            order["payment"]["token"] = "tok_decline"
        put(order)
        what = chance.random()
        if what < 0.3:
            put({"op": "order.ship", "order_id": f"g-{number}", "shipment_id": f"s-{number}"})
        elif what < 0.33 and not options.plain:
            put({"op": "order.cancel", "order_id": f"g-{max(0, number - chance.randrange(50))}",
                 "command_id": f"cancel-{number}"})


if __name__ == "__main__":
    main()
