#!/usr/bin/env python3
"""`purser replay` as users see it: the Northwind orders, repeats, crashes, kills, the other subcommands."""
import csv
import json
import random
import subprocess
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import NORTHWIND, ROOT, ProgramTest, lasting, replay, run


class Northwind(ProgramTest):
    def test_the_orders_of_the_data_set_are_all_there(self):
        summary = replay(NORTHWIND, "--data", self.data, "--crash-every", "20")

        self.assertEqual(summary["orders"], {"placed": 830, "by_status": {"completed": 809, "confirmed": 21}})
        self.assertEqual((summary["lines"], summary["units"], summary["skus"]), (2155, 51317, 77))
        self.assertEqual(summary["money"], {"USD": {"ordered": 133073570, "authorized": 133073570,
                                                    "captured": 133073570, "voided": 0, "refunded": 0}})
        self.assertGreater(summary["supervision"]["crashes"], 200)
        self.assertEqual(summary["supervision"]["restarts"], summary["supervision"]["crashes"])
        self.assertEqual(summary["supervision"]["dead_letters"], 0)
        self.assertEqual(summary["invariants"]["broken"], 0)
        self.assertGreater(summary["invariants"]["checked"], 1000)

    def test_available_stock_ends_at_units_in_stock(self):
        replay(NORTHWIND, "--data", self.data, "--crash-every", "7")

        with open(ROOT / "tests/data/northwind/products.csv", encoding="utf-8", newline="") as file:
            for product in csv.DictReader(file):
                shown = run("stock", "show", f"NW-{product['product_id']}", "--data", self.data, "--json")
                self.assertEqual(json.loads(shown.stdout)["available"], int(product["units_in_stock"]))

    def test_crashes_change_nothing_that_lasts(self):
        calm = replay(NORTHWIND)
        for every in (1, 2, 3, 50):
            crashed = replay(NORTHWIND, "--crash-every", every)
            self.assertEqual(lasting(crashed), lasting(calm))
            self.assertEqual(crashed["commands"], calm["commands"])
            self.assertGreater(crashed["supervision"]["crashes"], 0)

    def test_a_second_run_changes_nothing(self):
        first = replay(NORTHWIND, "--data", self.data)
        second = replay(NORTHWIND, "--data", self.data)

        self.assertEqual(second["commands"],
                         {"read": 1716, "accepted": 0, "rejected": 0, "duplicate": 1716, "invalid": 0})
        self.assertEqual(lasting(second), lasting(first))

    def test_killed_again_and_again_it_ends_the_same(self):
        expected = lasting(replay(NORTHWIND))
        seed = random.randrange(2**32)
        print(f"seed {seed}", file=sys.stderr)
        chance = random.Random(seed)
        for _ in range(12):
            process = subprocess.Popen([purser_program.PROGRAM, "replay", str(NORTHWIND), "--data", str(self.data),
                                        "--quiet", "--crash-every", "20"], stdout=subprocess.DEVNULL)
            try:
                process.wait(timeout=chance.uniform(0.01, 0.3))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        summary = replay(NORTHWIND, "--data", self.data)

        self.assertEqual(lasting(summary), expected, f"seed {seed}")
        self.assertEqual(run("verify", "--data", self.data).returncode, 0)

    def test_an_exported_journal_holds_every_event_in_order(self):
        replay(NORTHWIND, "--data", self.data)

        exported = [json.loads(line) for line in run("export", "--data", self.data).stdout.splitlines()]

        self.assertEqual([event["position"] for event in exported], list(range(1, len(exported) + 1)))
        versions = {}
        for event in exported:
            self.assertEqual(event["version"], versions.get(event["stream"], 0) + 1)
            versions[event["stream"]] = event["version"]
        placed = sum(event["event"] == "order_placed" for event in exported)
        self.assertEqual(placed, 830)

    def test_an_order_is_shown_with_its_history_and_payment(self):
        replay(NORTHWIND, "--data", self.data)

        order = json.loads(run("order", "show", "NW-10248", "--data", self.data, "--json", "--history").stdout)

        self.assertEqual(order["status"], "completed")
        self.assertEqual(order["payment"]["captured"], order["total"])
        self.assertEqual([event["event"] for event in order["history"]],
                         ["order_placed", "order_reserved", "order_confirmed", "order_shipped", "order_completed"])
        self.assertEqual(run("order", "show", "no-such", "--data", self.data).returncode, 1)


class OneDirectory(ProgramTest):
    def test_a_second_process_is_told_who_owns_it(self):
        feeder = subprocess.Popen([purser_program.PROGRAM, "replay", "-", "--data", str(self.data), "--quiet"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            lock = self.data / "lock"
            while not (lock.exists() and str(feeder.pid) in lock.read_text()):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)

            second = run("replay", "-", "--data", self.data, stdin="")

            self.assertEqual(second.returncode, 2)
            self.assertIn(f"in use by purser, process {feeder.pid}", second.stderr)
        finally:
            feeder.stdin.close()
            feeder.wait()

    def test_a_directory_that_does_not_exist_is_an_error(self):
        for arguments in (["verify"], ["export"], ["order", "show", "o-1"]):
            done = run(*arguments, "--data", self.folder / "nowhere")
            self.assertEqual(done.returncode, 2)
            self.assertIn("does not exist", done.stderr)


class Business(ProgramTest):
    RECEIVE = {"op": "stock.receive", "receipt_id": "r-1", "sku": "mug", "quantity": 10}

    @staticmethod
    def order(order_id, quantity, **more):
        return {"op": "order.place", "order_id": order_id, "customer_id": "c-1", "currency": "EUR",
                "lines": [{"sku": "mug", "quantity": quantity, "unit_price": 500}],
                "payment": {"method": "card"}, **more}

    def test_nothing_is_oversold(self):
        orders = [self.order(f"o-{i}", 3) for i in range(5)]

        summary = replay(self.lines(self.RECEIVE, *orders), "--data", self.data)

        self.assertEqual(summary["orders"]["by_status"], {"confirmed": 3, "rejected": 2})
        self.assertEqual(summary["commands"]["rejected"], 2)
        self.assertEqual(summary["stock"]["committed"], 9)

    def test_a_declined_payment_frees_the_stock(self):
        declined = self.order("o-1", 10, payment={"method": "card", "token": "tok_decline"})

        summary = replay(self.lines(self.RECEIVE, declined, self.order("o-2", 10)), "--data", self.data)

        self.assertEqual(summary["orders"]["by_status"], {"canceled": 1, "confirmed": 1})
        order = json.loads(run("order", "show", "o-1", "--data", self.data, "--json").stdout)
        self.assertEqual((order["status"], order["reason"]), ("canceled", "payment_declined"))

    def test_a_canceled_order_is_refunded_and_its_stock_is_free(self):
        cancel = {"op": "order.cancel", "order_id": "o-1", "reason": "changed my mind"}

        summary = replay(self.lines(self.RECEIVE, self.order("o-1", 10), cancel, self.order("o-2", 10)),
                         "--crash-every", "2")

        self.assertEqual(summary["orders"]["by_status"], {"canceled": 1, "confirmed": 1})
        self.assertEqual(summary["money"]["EUR"], {"ordered": 10000, "authorized": 10000, "captured": 10000,
                                                   "voided": 0, "refunded": 5000})

    def test_two_lines_of_one_sku_are_summed(self):
        order = self.order("o-1", 6)
        order["lines"] *= 2

        summary = replay(self.lines(self.RECEIVE, order))

        self.assertEqual(summary["orders"]["by_status"], {"rejected": 1})
        self.assertEqual(summary["stock"]["held"], 0)

    def test_an_id_with_another_body_is_refused(self):
        again = dict(self.RECEIVE, quantity=11)
        elsewhere = dict(self.RECEIVE, sku="cup")

        summary = replay(self.lines(self.RECEIVE, again, elsewhere, self.RECEIVE, self.order("o-1", 1),
                                    self.order("o-1", 2), self.order("o-1", 1)))

        self.assertEqual(summary["commands"],
                         {"read": 7, "accepted": 2, "rejected": 3, "duplicate": 2, "invalid": 0})
        self.assertEqual(summary["stock"]["received"], 10)

    def test_rejections_answer_the_same_after_a_restart(self):
        ship = {"op": "order.ship", "order_id": "o-9", "shipment_id": "s-1"}
        path = self.lines(ship, self.RECEIVE, self.order("o-1", 99), {"op": "order.cancel", "order_id": "o-8"})

        first = replay(path, "--data", self.data)
        second = replay(path, "--data", self.data)

        self.assertEqual(first["commands"],
                         {"read": 4, "accepted": 1, "rejected": 3, "duplicate": 0, "invalid": 0})
        self.assertEqual(second["commands"],
                         {"read": 4, "accepted": 0, "rejected": 0, "duplicate": 4, "invalid": 0})
        self.assertEqual(first["orders"]["placed"], 1)

    def test_a_batch_puts_many_skus_on_sale_once(self):
        batch = {"op": "stock.receive_batch", "batch_id": "b-1",
                 "lines": [{"sku": "mug", "quantity": 2}, {"sku": "cup", "location": "attic", "quantity": 3},
                           {"sku": "mug", "quantity": 5}]}
        fewer = dict(batch, lines=batch["lines"][:1])

        summary = replay(self.lines(batch, self.order("o-1", 7), batch, fewer), "--data", self.data,
                         "--crash-every", "2")

        self.assertEqual(summary["commands"],
                         {"read": 4, "accepted": 2, "rejected": 1, "duplicate": 1, "invalid": 0})
        self.assertEqual((summary["stock"]["received"], summary["stock"]["committed"]), (10, 7))
        self.assertEqual(summary["invariants"]["broken"], 0)
        shown = json.loads(run("batch", "show", "b-1", "--data", self.data, "--json").stdout)
        self.assertEqual(shown, {"batch_id": "b-1", "status": "booked", "lines": 3, "units": 10, "refused": [],
                                 "version": 2})
        self.assertEqual(run("batch", "show", "b-2", "--data", self.data).returncode, 1)
        self.assertEqual(run("verify", "--data", self.data).returncode, 0)

    def test_an_order_of_nothing_needs_no_payment(self):
        free = self.order("o-1", 1)
        free["lines"][0]["unit_price"] = 0

        summary = replay(self.lines(self.RECEIVE, free), "--data", self.data)

        self.assertEqual(summary["orders"]["by_status"], {"confirmed": 1})
        self.assertEqual(run("payment", "show", "o-1", "--data", self.data).returncode, 1)

    def test_adjustments_below_what_is_promised_are_rejected(self):
        adjust = {"op": "stock.adjust", "sku": "mug", "delta": -8, "reason": "count"}

        summary = replay(self.lines(self.RECEIVE, self.order("o-1", 3), adjust, dict(adjust, delta=-7)))

        self.assertEqual(summary["commands"]["rejected"], 1)
        self.assertEqual(summary["stock"]["adjusted"], -7)

    def test_a_reservation_lapses_at_its_tick(self):
        reserve = {"op": "stock.reserve", "reservation_id": "v-1", "lines": [{"sku": "mug", "quantity": 10}],
                   "ttl_seconds": 60, "at": "2026-01-01T00:00:00Z"}
        commit = {"op": "stock.commit", "reservation_id": "v-1", "at": "2026-01-01T00:01:00Z"}
        early = dict(commit, at="2026-01-01T00:00:59Z")

        lapsed = replay(self.lines(self.RECEIVE, reserve, commit, self.order("o-1", 10)))
        in_time = replay(self.lines(self.RECEIVE, reserve, early, self.order("o-1", 10)))

        self.assertEqual(lapsed["orders"]["by_status"], {"confirmed": 1})
        self.assertEqual(lapsed["commands"]["rejected"], 1)
        self.assertEqual(in_time["orders"]["by_status"], {"rejected": 1})
        self.assertEqual(in_time["stock"]["committed"], 10)


if __name__ == "__main__":
    purser_program.main()
