#!/usr/bin/env python3
"""Bad input: each a clear message with line number and JSON pointer; nothing half-applied, no crash."""
import json
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import ROOT, ProgramTest, replay, run

RECEIVE = {"op": "stock.receive", "receipt_id": "r-1", "sku": "mug", "quantity": 1000}
LINE = {"sku": "mug", "quantity": 1, "unit_price": 500}
ORDER = {"op": "order.place", "order_id": "o-1", "customer_id": "c-1", "currency": "EUR", "lines": [LINE],
         "payment": {"method": "card"}}


def with_line(**more):
    return dict(ORDER, lines=[dict(LINE, **more)])


def without(name):
    return {key: value for key, value in ORDER.items() if key != name}


class BadInput(ProgramTest):
    # What is wrong, the pointer, a part of the message.
    CASES = [
        ("not json", "", "is not JSON"),
        ("[1]", "", "must be an object"),
        ("{}", "/op", "is missing"),
        ({"op": "order.plase"}, "/op", 'did you mean "order.place"?'),
        ({"op": "order.deliver", "order_id": "o-1", "shipment": "s"}, "/shipment", "unknown field"),
        ({"op": "order.return", "order_id": "o-1", "return_id": "r", "lines": [{"line_id": "1"}]}, "/lines/0/quantity", "missing"),
        ({"op": "order.resolve", "order_id": "o-1", "payment": "paid", "note": ""}, "/payment", "captured"),
        ({"op": "payment.refund", "order_id": "o-1", "refund_id": "g", "amount": -1}, "/amount", "it must be from 0"),
        (dict(ORDER, custmer_id="x"), "/custmer_id", 'did you mean "customer_id"?'),
        (without("customer_id"), "/customer_id", "is missing"),
        (dict(ORDER, customer_id=7), "/customer_id", "must be a string"),
        (dict(ORDER, customer_id=""), "/customer_id", "must not be empty"),
        (dict(ORDER, order_id="x" * 129), "/order_id", "at most 128"),
        (dict(ORDER, order_id="a\u0007b"), "/order_id", "control character"),
        (dict(ORDER, currency="XYZ"), "/currency", "ISO 4217"),
        (dict(ORDER, currency="eur"), "/currency", "ISO 4217"),
        (dict(ORDER, lines=[]), "/lines", "no line"),
        (dict(ORDER, lines=[LINE] * 2001), "/lines", "at most 2000"),
        (dict(ORDER, lines={"sku": "mug"}), "/lines", "must be a list"),
        (with_line(quantity=0), "/lines/0/quantity", "from 1 to 1000000"),
        (with_line(quantity=-1), "/lines/0/quantity", "from 0 to"),
        (with_line(quantity=1.5), "/lines/0/quantity", "must be an integer"),
        (with_line(quantity=1000001), "/lines/0/quantity", "from 1 to 1000000"),
        (with_line(quantity=10**30), "/lines/0/quantity", "must be an integer"),
        (with_line(quantity="1"), "/lines/0/quantity", "must be an integer"),
        (with_line(unit_price=10**12 + 1), "/lines/0/unit_price", "from 0 to 1000000000000"),
        (with_line(discount=501), "/lines/0/discount", "never negative"),
        (with_line(colour="red"), "/lines/0/colour", "unknown field"),
        (dict(ORDER, lines=[dict(LINE, unit_price=10**12, quantity=1000000)]), "/lines", "total is too large"),
        (dict(ORDER, lines=[LINE, dict(LINE, line_id="1")]), "/lines/1/line_id", "another line"),
        (dict(ORDER, payment={}), "/payment/method", "is missing"),
        (dict(ORDER, metadata={"a": 1}), "/metadata/a", "must be a string"),
        (dict(ORDER, metadata={"a/b": "x" * 501}), "/metadata/a", "at most 500"),
        (dict(ORDER, metadata={str(i): "" for i in range(51)}), "/metadata", "at most 50"),
        (dict(ORDER, at="yesterday"), "/at", "RFC 3339"),
        (dict(ORDER, at="2026-02-30T00:00:00Z"), "/at", "RFC 3339"),
        (dict(ORDER, capture="on_delivery"), "/capture", "on_ship"),
        (dict(ORDER, capture="later"), "/capture", 'one of "on_confirm"'),
        (dict(ORDER, allow_backorder="yes"), "/allow_backorder", "true or false"),
        ('{"op":"order.cancel","order_id":"a","order_id":"b"}', "/order_id", "given twice"),
        ('{"op":"order.cancel","order_id":"a"} {}', "", "is not JSON"),
        ("[" * 100 + "]" * 100, "", "is not JSON"),
        ({"op": "stock.adjust", "sku": "mug", "delta": 0, "reason": ""}, "/delta", "is 0"),
        ({"op": "stock.reserve", "reservation_id": "v", "lines": [{"sku": "a", "quantity": 1}], "ttl_seconds": 0},
         "/ttl_seconds", "from 1 to 604800"),
        ({"op": "order.ship", "order_id": "o-1", "shipment_id": "s", "lines": []}, "/lines", "has no line"),
        ({"op": "stock.receive_batch", "lines": []}, "/lines", "has no line"),
        ({"op": "stock.receive_batch", "lines": [{"sku": "a", "quantity": 1}] * 2001}, "/lines", "at most 2000"),
        ({"op": "stock.receive_batch", "lines": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 0}]},
         "/lines/1/quantity", "from 1 to 1000000"),
        ({"op": "stock.receive_batch", "lines": [{"quantity": 1}]}, "/lines/0/sku", "is missing"),
    ]

    def test_every_mistake_is_named_with_line_and_pointer(self):
        path = self.lines(RECEIVE, *[case[0] for case in self.CASES])

        done = run("replay", path, "--json")

        self.assertEqual(done.returncode, 1)
        messages = [line for line in done.stderr.splitlines() if line.startswith(str(path))]
        self.assertEqual(len(messages), len(self.CASES))
        for number, (case, message) in enumerate(zip(self.CASES, messages), 2):
            self.assertTrue(message.startswith(f"{path}:{number}: {case[1]}"), f"{case} got {message}")
            self.assertIn(case[2], message)
        summary = json.loads(done.stdout)
        self.assertEqual(summary["commands"]["invalid"], len(self.CASES))
        self.assertEqual(summary["orders"]["placed"], 0)
        self.assertEqual(summary["stock"]["on_hand"], 1000)

    def test_invalid_utf8_is_refused(self):
        path = self.folder / "bytes.jsonl"
        path.write_bytes(b'{"op":"order.cancel","order_id":"\xff\xfe"}\n{"op":"order.cancel","order_id":"\xed\xa0\x80"}\n'
                         + json.dumps(RECEIVE).encode() + b"\n")

        summary = replay(path, code=1)

        self.assertEqual(summary["commands"]["invalid"], 2)
        self.assertEqual(summary["commands"]["accepted"], 1)

    def test_a_line_of_100_megabytes_is_skipped_in_bounded_memory(self):
        path = self.folder / "long.jsonl"
        with open(path, "wb") as file:
            file.write(b'{"op":"')
            for _ in range(100):
                file.write(b"x" * (1024 * 1024))
            file.write(b'"}\n' + json.dumps(RECEIVE).encode() + b"\n")

        done = run("replay", path, "--json", "--quiet")

        self.assertIn(f"{path}:1: : the line is longer than 8 MiB", done.stderr)
        self.assertEqual(json.loads(done.stdout)["commands"],
                         {"read": 2, "accepted": 1, "rejected": 0, "duplicate": 0, "invalid": 1})

    def test_strict_stops_at_the_first_mistake(self):
        summary = replay(self.lines(RECEIVE, "oops", dict(RECEIVE, receipt_id="r-2")), "--strict", code=1)

        self.assertEqual(summary["commands"],
                         {"read": 2, "accepted": 1, "rejected": 0, "duplicate": 0, "invalid": 1})

    def test_naughty_strings_are_kept_to_the_byte_or_refused(self):
        strings = json.loads((ROOT / "tests/data/blns/blns.json").read_text(encoding="utf-8"))
        commands = [RECEIVE]
        for number, text in enumerate(strings):
            commands.append({"op": "stock.receive", "receipt_id": f"r-{number}", "sku": text, "quantity": 5})
            commands.append(dict(ORDER, order_id=f"n-{number}", customer_id=text or "-", metadata={"note": text}))
            commands.append(dict(ORDER, order_id=text, lines=[dict(LINE, sku="mug")]))
        path = self.lines(*commands)

        done = run("replay", path, "--json", "--quiet", "--data", self.data, "--crash-every", "9")

        self.assertIn(done.returncode, (0, 1), done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual(sum(summary["commands"][k] for k in ("accepted", "rejected", "duplicate", "invalid")),
                         len(commands))
        self.assertEqual(summary["invariants"]["broken"], 0)
        stored = {}
        for line in run("export", "--data", self.data).stdout.split("\n"):
            if line:
                event = json.loads(line)
                if event["event"] == "order_placed":
                    stored[event["stream"]] = event["data"]
        for number, text in enumerate(strings):
            if f"order/n-{number}" in stored:
                self.assertEqual(stored[f"order/n-{number}"]["metadata"]["note"], text)
        self.assertGreater(len(stored), len(strings) / 2)

    def test_no_newline_at_the_end_and_blank_lines_are_fine(self):
        path = self.folder / "plain.jsonl"
        path.write_text("\n  \n" + json.dumps(RECEIVE))

        self.assertEqual(replay(path)["commands"]["read"], 1)

    def test_what_cannot_be_run_ends_with_2(self):
        for arguments in (["replay"], ["replay", self.folder / "nowhere.jsonl"], ["replay", self.folder],
                          ["nonsense"], [], ["replay", "-", "--window", "0"]):
            self.assertEqual(run(*arguments, stdin="").returncode, 2, arguments)


if __name__ == "__main__":
    purser_program.main()
