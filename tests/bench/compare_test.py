"""tools/bench/compare on made-up programs: what it runs and when, medians, ratios, and what it says when one fails."""
import contextlib
import json
import os
import pathlib
import pty
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMPARE = ROOT / "tools/bench/compare"
PATIENCE = 60  # seconds for anything that must happen

# Takes the n-th of its values in its n-th run; without a rate it does what `how` says.
FAKE = """#!/usr/bin/env python3
import json, os, pathlib, sys, time
name, how, rates, here = {name!r}, {how!r}, {rates!r}, pathlib.Path({folder!r})
if "--variant" in sys.argv:
    name = sys.argv[sys.argv.index("--variant") + 1]
if "--clients" in sys.argv and sys.argv[sys.argv.index("--clients") + 1] == "256":
    name += "_wide"
if "--check" in sys.argv:
    if how == "missing":
        print("there is no such program", file=sys.stderr)
    sys.exit(2 if how == "missing" else 0)
with open(here / "calls", "a") as calls:
    calls.write(name + " " + " ".join(sys.argv[1:]) + "\\n")
if how == "fail":
    print("the disk is full", file=sys.stderr)
    sys.exit(7)
if how == "garbage":
    print("Segmentation fault")
    sys.exit(0)
if how == "incomplete":
    print(json.dumps(dict(orders_per_second=dict(spread=1))))
    sys.exit(0)
if how == "hang":
    (here / "hanging").write_text(str(os.getpid()))
    time.sleep(600)
run = sum(line.split()[0] == name for line in open(here / "calls"))
rate = rates[name][run - 1]
out = dict(orders_per_second=dict(spread=rate, hot=rate / 2), latency_ms=dict(p50=1000 / rate, p99=5000 / rate))
if how == "purser":
    out.update(reservations_per_second=dict(spread=rate * 2, hot=rate), cpu_us_per_order=30, disk_bytes_per_event=100,
               limits=dict(syncs_per_second=3000, sync_ms_p50=0.3, append_mb_per_second=400, messages_per_second=2e6))
else:
    out["program"] = name.capitalize() + " 1.0"
print(json.dumps(out))
"""

RATES = {"purser": [100, 400, 300], "purser_wide": [800, 800, 800], "function": [50, 100, 100], "saga": [10, 10, 10],
         "erlang": [200, 100, 300]}


class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="purser-compare-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.fake("purser", "purser")
        self.fake("postgres/bench", "answer")
        self.fake("erlang/bench", "answer")

    def fake(self, path, how):
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(FAKE.format(name=path.partition("/")[0], how=how, rates=RATES, folder=str(self.folder)))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def command(self, *arguments):
        return [sys.executable, str(COMPARE), "--purser", str(self.folder / "purser"), "--peers-dir", str(self.folder),
                "--data", str(self.folder / "data"), "--seconds", "1", *arguments]

    def compare(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=PATIENCE)

    def calls(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "calls").read_text().splitlines()
        return []

    def assert_fails(self, done, code, *parts):
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(list((self.folder / "data").glob("*")), [])

    def test_every_round_runs_every_side_once(self):
        done = self.compare("--rounds", "2", "--json")

        self.assertEqual(done.returncode, 0, done.stderr)
        names = [call.split()[0] for call in self.calls()]
        self.assertEqual(names, ["purser", "purser_wide", "function", "saga", "erlang"] * 2)
        self.assertRegex(self.calls()[0], r"^purser bench --json --rounds 1 .*--only hot-orders .*--clients 64 --seconds 1 --data .*/data/purser-")
        self.assertRegex(self.calls()[2], r"^function --variant function --clients 64 --seconds 1 --data .*/data/")
        self.assertEqual(list((self.folder / "data").iterdir()), [])

    def test_sales_are_for_purser_and_are_told(self):
        done = self.compare("--rounds", "1", "--sales")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([call.split()[0] for call in self.calls() if call.endswith(" --sales")],
                         ["purser", "purser_wide"])
        self.assertRegex(done.stdout, r"(?m)^1 rounds, 1 s a measurement, 64 clients, one call of the provider an order$")

    def test_the_document_has_medians_ranges_and_the_ratio_of_each_round(self):
        done = self.compare("--rounds", "3", "--json")

        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 1), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["measures"]["purser"]["orders_per_second.spread"],
                         {"median": 300, "min": 100, "max": 400, "rounds": [100, 400, 300]})
        self.assertEqual(report["measures"]["purser"]["limits.syncs_per_second"]["median"], 3000)
        self.assertEqual(report["measures"]["erlang"]["orders_per_second.hot"]["median"], 100)
        self.assertNotIn("cpu_us_per_order", report["measures"]["erlang"])
        ratios = {(ratio["of"], ratio["to"]): ratio["measures"] for ratio in report["ratios"]}
        self.assertEqual(set(ratios), {("purser", "function"), ("purser_wide", "function"), ("purser", "saga"),
                                       ("purser", "erlang")})
        self.assertEqual(ratios["purser", "function"]["orders_per_second.spread"],
                         {"median": 3, "min": 2, "max": 4, "rounds": [2, 4, 3]})
        self.assertEqual(ratios["purser", "erlang"]["orders_per_second.hot"]["rounds"], [0.5, 4, 1])
        self.assertEqual(ratios["purser_wide", "function"]["orders_per_second.spread"]["rounds"], [16, 8, 8])
        self.assertEqual(report["options"], {"rounds": 3, "seconds": 1, "clients": 64, "wide_clients": 256,
                                             "peers": ["function", "saga", "erlang"], "sales": False})
        self.assertEqual(report["programs"]["erlang"], "Erlang 1.0")
        self.assertEqual(set(report["machine"]), {"cpu", "cores", "memory_bytes", "kernel", "load_before",
                                                  "file_system", "in_memory"})
        self.assertGreater(report["machine"]["cores"], 0)

    def test_the_table_says_the_same(self):
        done = self.compare("--rounds", "3")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^3 rounds, 1 s a measurement, 64 clients$")
        self.assertRegex(done.stdout, r"(?m)^  purser +300 \(100 to 400\)$")
        self.assertRegex(done.stdout, r"(?m)^  PostgreSQL function +100 \(50\.0 to 100\) +3\.00 \(2\.00 to 4\.00\) "
                                      r"+8\.00 \(8\.00 to 16\.0\)$")
        self.assertIn("syncs per second", done.stdout)

    def test_only_the_peers_that_were_named_are_run(self):
        self.fake("postgres/bench", "missing")

        done = self.compare("--rounds", "1", "--peers", "erlang", "--clients", "8", "--json")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([call.split()[0] for call in self.calls()], ["purser", "erlang"])
        self.assertIn("--clients 8 ", self.calls()[1])

    def test_a_missing_peer_says_what_installs_it_before_anything_is_measured(self):
        self.fake("postgres/bench", "missing")

        done = self.compare("--rounds", "1")

        self.assert_fails(done, 2, "PostgreSQL function is missing", "tools/bench/install-deps postgres",
                          "there is no such program")
        self.assertEqual(self.calls(), [])

    def test_a_missing_program_is_named(self):
        done = self.compare("--purser", str(self.folder / "nothing"))

        self.assert_fails(done, 2, f"there is no program {self.folder}/nothing", "tools/dev build")

    def test_a_side_that_fails_ends_it_and_nothing_is_reported(self):
        self.fake("erlang/bench", "fail")

        done = self.compare("--json")

        self.assert_fails(done, 1, "Erlang: ", "ended with 7", "the disk is full")

    def test_what_is_no_json_document_is_shown(self):
        self.fake("purser", "garbage")

        self.assert_fails(self.compare(), 1, "purser: ", "printed no JSON document", "Segmentation fault")

    def test_a_number_that_is_missing_is_named(self):
        self.fake("erlang/bench", "incomplete")

        self.assert_fails(self.compare("--peers", "erlang"), 1, "Erlang: ", "no number orders_per_second.hot")

    def test_a_side_that_takes_too_long_is_stopped(self):
        self.fake("erlang/bench", "hang")

        done = self.compare("--peers", "erlang", "--deadline", "2")

        self.assert_fails(done, 1, "Erlang: ", "took longer than 2 s")
        with self.assertRaises(ProcessLookupError):
            os.kill(int((self.folder / "hanging").read_text()), 0)

    def test_a_file_system_in_memory_is_warned_of(self):
        if not os.access("/dev/shm", os.W_OK):
            self.skipTest("there is no /dev/shm")
        with tempfile.TemporaryDirectory(prefix="purser-compare-test-", dir="/dev/shm") as data:
            done = self.compare("--rounds", "1", "--json", "--data", data)

        self.assertEqual(done.returncode, 0, done.stderr)
        if json.loads(done.stdout)["machine"]["file_system"] != "tmpfs":
            self.skipTest("/dev/shm is no tmpfs")
        self.assertIn("is on tmpfs: nothing is durable there", done.stderr)

    def test_bad_arguments_are_refused(self):
        for arguments, part in ((("--peers", "mysql"), "there is no peer 'mysql'; there are function, saga, erlang"),
                                (("--rounds", "0"), "'0' is not a number from 1"),
                                (("--seconds", "1.5"), "'1.5' is not a number from 1")):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.compare(*arguments), 2, part)

    def test_a_directory_that_cannot_be_written_is_named(self):
        (self.folder / "file").write_text("")

        self.assert_fails(self.compare("--data", str(self.folder / "file")), 2, f"{self.folder}/file cannot be written")

    def test_a_signal_stops_what_runs_and_leaves_nothing(self):
        self.fake("erlang/bench", "hang")
        process = subprocess.Popen(self.command("--peers", "erlang"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        self.addCleanup(process.kill)
        end = time.monotonic() + PATIENCE
        while not ((self.folder / "hanging").exists() and (self.folder / "hanging").read_text()):
            self.assertLess(time.monotonic(), end, "the peer never started")
            time.sleep(0.02)

        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=PATIENCE)

        self.assertEqual((process.returncode, out), (143, ""))
        self.assertIn("SIGTERM: nothing is reported", errors)
        with self.assertRaises(ProcessLookupError):
            os.kill(int((self.folder / "hanging").read_text()), 0)
        self.assertEqual(list((self.folder / "data").iterdir()), [])

    def progress(self, environment):
        """What a terminal shows of standard error."""
        ours, theirs = pty.openpty()
        done = subprocess.run(self.command("--rounds", "1", "--json"), stdout=subprocess.DEVNULL, stderr=theirs,
                              timeout=PATIENCE, env=environment)
        os.close(theirs)
        self.assertEqual(done.returncode, 0)
        shown = b""
        with contextlib.suppress(OSError), open(ours, "rb", buffering=0) as terminal:
            while block := terminal.read(65536):
                shown += block
        return shown.decode()

    def test_a_terminal_shows_the_progress(self):
        plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"COLUMNS": "120"}

        self.assertIn("round 1 of 1: PostgreSQL saga (4 of 5, about 1 min left)", self.progress(plain))
        (self.folder / "calls").unlink()
        self.assertNotIn("round", self.progress(plain | {"NO_COLOR": "1"}))


if __name__ == "__main__":
    unittest.main()
