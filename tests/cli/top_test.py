"""`purser tree`, `top`, `health` on a running engine; what SIGTERM and SIGINT do."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import unittest
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import purser_program  # noqa: E402
from purser_program import NORTHWIND, ProgramTest, replay, run  # noqa: E402

PATIENCE = 40  # seconds for anything that must happen
SGR = re.compile(rb"\x1b\[[0-9;]*m")


def lines_of_northwind(count):
    with open(NORTHWIND, encoding="utf-8") as file:
        return [next(file) for _ in range(count)]


def eventually(check, what):
    """The first true value of check()."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"it never came to this: {what}")


class Running:
    """`purser replay -` that is fed through a pipe, and looked at."""

    def __init__(self, test, *arguments):
        self.data = test.data
        self.process = subprocess.Popen([purser_program.PROGRAM, "replay", "-", "--data", self.data, "--json", *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.end)

    def feed(self, lines):
        self.process.stdin.write("".join(lines))
        self.process.stdin.flush()

    def feed_until_it_ends(self, lines):
        with contextlib.suppress(OSError):
            self.feed(lines)

    def is_up(self):
        return run("health", "--data", self.data).returncode != 2

    def messages(self):
        """That the shards have handed out."""
        done = run("tree", "--data", self.data, "--json")
        rows = json.loads(done.stdout)["rows"] if done.returncode == 0 else []
        return sum(row["messages"] for row in rows if row["kind"] == "shard")

    def at_rest(self, least=1):
        """Waits until nothing moves any more."""
        eventually(self.is_up, "the engine runs")
        eventually(lambda: self.messages() >= least, "messages")
        before = -1
        while before != (now := self.messages()):
            before = now
            time.sleep(0.2)

    def stop(self, number):
        self.process.send_signal(number)
        self.process.wait(timeout=PATIENCE)  # what it prints fits into a pipe
        return self.process.returncode, self.process.stdout.read(), self.process.stderr.read()

    def end(self):
        self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                file and file.close()


class Looking(ProgramTest):
    def running(self, *arguments, lines=300):
        engine = Running(self, *arguments)
        engine.feed(lines_of_northwind(lines))
        engine.at_rest(lines)
        return engine

    def test_without_an_engine_every_look_ends_with_2(self):
        self.data.mkdir()
        for command in ("tree", "health", "top"):
            for data in (self.data, self.folder / "nowhere"):
                done = run(command, "--data", data)
                self.assertEqual(done.returncode, 2, command)
                self.assertIn(str(data), done.stderr)
        self.assertIn("no running engine has", run("health", "--data", self.data).stderr)

    def test_the_tree_has_shards_and_what_crashed_last(self):
        self.running("--crash-every", "20")
        tree = json.loads(run("tree", "--data", self.data, "--json").stdout)
        rows = {row["path"]: row for row in tree["rows"]}
        self.assertEqual({row["state"] for row in rows.values()}, {"running"})
        self.assertEqual(sum(row["kind"] == "shard" for row in rows.values()), 8)
        crashed = [row for row in rows.values() if row["restarts"]]
        self.assertGreater(len(crashed), 5)
        self.assertTrue(all("told to crash" in row["last_cause"] for row in crashed))
        table = run("tree", "--data-dir", self.data).stdout
        self.assertTrue(table.startswith("actor "))
        self.assertIn("    shard-7 ", table)

    def test_health_is_ready(self):
        engine = self.running()
        done = run("health", "--data", self.data, "--json")
        health = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(health["status"], "ready")
        self.assertEqual(health["pid"], engine.process.pid)
        self.assertEqual(run("health", "--data", self.data).stdout, "ready\n")

    def test_one_frame_of_top_fits_its_screen(self):
        self.running("--crash-every", "20")
        for columns, lines in ((80, 24), (132, 50), (40, 10), (20, 3)):
            done = subprocess.run([purser_program.PROGRAM, "top", "--data", self.data, "--once", "--interval", "100"],
                                  capture_output=True, text=True, timeout=PATIENCE,
                                  env=dict(os.environ, COLUMNS=str(columns), LINES=str(lines)))
            self.assertEqual(done.returncode, 0, done.stderr)
            frame = done.stdout.splitlines()
            self.assertLessEqual(len(frame), lines)
            self.assertLessEqual(max(map(len, frame)), columns)
            self.assertNotIn("\x1b", done.stdout)
            if lines >= 24:
                self.assertIn("orders/s", done.stdout)
                self.assertIn("newest supervision events", done.stdout)
                self.assertIn("child_restarted", done.stdout)

    def test_a_watch_tells_every_decision_as_json_lines(self):
        engine = self.running("--crash-every", "5", lines=20)
        watch = subprocess.Popen([purser_program.PROGRAM, "tree", "--data", self.data, "--watch", "--quiet"],
                                 stdout=subprocess.PIPE, text=True)
        rest = iter(lines_of_northwind(800)[20:])

        def came():  # nothing says that the watch has begun: so crashes go on until it tells of one
            engine.feed([next(rest), next(rest)])
            return select.select([watch.stdout], [], [], 0)[0]

        eventually(came, "an event")
        engine.stop(signal.SIGTERM)
        out, _ = watch.communicate(timeout=PATIENCE)

        self.assertEqual(watch.returncode, 0)
        events = [json.loads(line) for line in out.splitlines()]
        numbers = [event["number"] for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertIn("child_crashed", {event["what"] for event in events})
        self.assertTrue(any(event["healing_us"] > 0 for event in events if event["what"] == "child_restarted"))

    def test_a_socket_that_a_killed_engine_left_is_replaced(self):
        self.running().stop(signal.SIGKILL)
        self.assertTrue((self.data / "control.sock").exists())
        self.assertEqual(run("health", "--data", self.data).returncode, 2)

        self.running(lines=20)

        self.assertEqual(run("health", "--data", self.data).returncode, 0)
        self.assertEqual(run("backup", "--data", self.data, "--to", self.folder / "b.pua").returncode, 0)


class Live(ProgramTest):
    """`purser top` on a terminal."""

    def start(self, **environment):
        engine = Running(self)
        engine.feed(lines_of_northwind(100))
        engine.at_rest()
        child, self.terminal = pty.fork()
        if child == 0:
            os.execve(purser_program.PROGRAM, ["purser", "top", "--data", str(self.data), "--interval", "100"],
                      dict(os.environ, TERM="xterm", **environment))
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.seen = b""
        return child

    def read_until(self, wanted):
        end = time.monotonic() + PATIENCE
        while wanted not in self.seen:
            self.assertLess(time.monotonic(), end, self.seen[-2000:])
            if select.select([self.terminal], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.terminal, 65536)
                except OSError:
                    break
        self.assertIn(wanted, self.seen)

    def ends_well(self, child):
        self.read_until(b"\x1b[?7h\x1b[?25h\x1b[?1049l")
        _, status = os.waitpid(child, 0)
        os.close(self.terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)

    def test_q_ctrl_c_and_sigterm_give_the_terminal_back(self):
        for how in ("q", "\x03", signal.SIGTERM):
            with self.subTest(how):
                self.setUp()
                child = self.start(NO_COLOR="")
                self.read_until(b"messages/s")
                self.assertIn(b"\x1b[?1049h", self.seen)
                self.assertTrue(SGR.search(self.seen))
                os.kill(child, how) if isinstance(how, int) else os.write(self.terminal, how.encode())
                self.ends_well(child)

    def test_no_color_is_honored(self):
        child = self.start(NO_COLOR="1")
        self.read_until(b"messages/s")
        self.assertFalse(SGR.search(self.seen))
        os.write(self.terminal, b"q")
        self.ends_well(child)


class Stopping(ProgramTest):
    def test_a_replay_that_is_interrupted_stops_in_order_and_says_what_it_did(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            with self.subTest(number):
                self.setUp()
                lines = lines_of_northwind(500)
                engine = Running(self, "--crash-every", "20")
                engine.feed(lines)
                engine.at_rest(len(lines))

                ended, out, err = engine.stop(number)

                self.assertEqual(ended, code, err)
                summary = json.loads(out)
                self.assertEqual(summary["run"]["interrupted"], number.name)
                self.assertEqual(summary["commands"]["read"], len(lines))
                self.assertEqual(summary["invariants"]["broken"], 0)
                self.assertIn("stopping within 10,000 ms", err)
                self.assertFalse((self.data / "control.sock").exists())
                path = self.folder / "again.jsonl"
                path.write_text("".join(lines), encoding="utf-8")
                again = replay(path, "--data", self.data)
                self.assertEqual(again["commands"]["duplicate"], len(lines))
                self.assertEqual(again["orders"], summary["orders"])
                self.assertNotIn("interrupted", again["run"])

    def test_a_replay_in_full_run_keeps_everything_that_it_counts(self):
        process = subprocess.Popen([purser_program.PROGRAM, "replay", NORTHWIND, "--data", self.folder / "other", "--json", "--quiet"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eventually(lambda: process.poll() is not None or run("health", "--data", self.folder / "other").returncode == 0,
                   "the replay runs")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, (0, 143), err)
        counts = json.loads(out)["commands"]
        self.assertEqual(counts["read"], counts["accepted"] + counts["rejected"] + counts["duplicate"])
        self.assertEqual(counts["invalid"], 0)
        full = replay(NORTHWIND, "--data", self.folder / "other")
        self.assertEqual(full["commands"]["duplicate"], counts["read"])
        self.assertEqual(run("verify", "--data", self.folder / "other", "--quiet").returncode, 0)

    def stuck(self, *arguments):
        """A replay whose provider writes its list into a pipe that nobody reads."""
        config, pipe = self.folder / "purser.json", self.folder / "pipe"
        config.write_text('{"engine": {"hang_ms": 200}}')
        os.mkfifo(pipe)
        engine = Running(self, "--provider-list", str(pipe), "--config", str(config), *arguments)
        with open(pipe, "w"):  # it reads what the list had before: nothing
            pass
        reader = os.open(pipe, os.O_RDONLY)
        self.addCleanup(os.close, reader)
        fcntl.fcntl(reader, 1031, 4096)  # F_SETPIPE_SZ
        feeder = threading.Thread(target=engine.feed_until_it_ends, args=[lines_of_northwind(700)])
        self.addCleanup(feeder.join)
        self.addCleanup(engine.end)
        feeder.start()  # it takes no more when enough is under way
        eventually(lambda: run("health", "--data", self.data).returncode == 1, "health is degraded")
        return engine

    def test_what_does_not_stop_within_the_bound_is_named(self):
        engine = self.stuck("--stop-within", "300")
        health = json.loads(run("health", "--data", self.data, "--json").stdout)
        self.assertEqual(health["status"], "degraded")
        self.assertIn("payment_desk has been calling the provider for payment/", " ".join(health["reasons"]))
        frame = run("top", "--data", self.data, "--once", "--interval", "100").stdout
        self.assertIn("degraded", frame)
        self.assertIn("  ! payment_desk", frame)

        code, out, err = engine.stop(signal.SIGTERM)

        self.assertEqual(code, 124, err)
        self.assertEqual(out, "")
        self.assertIn("not stopped within 300 ms: it is at ", err)
        self.assertIn("payment_desk has been calling the provider", err)

    def test_a_second_signal_ends_it_at_once(self):
        engine = self.stuck("--stop-within", "3600000")
        engine.process.send_signal(signal.SIGTERM)
        for line in engine.process.stderr:
            if "once more ends it at once" in line:
                break
        code, out, _ = engine.stop(signal.SIGINT)
        self.assertEqual((code, out), (130, ""))

    def test_a_scenario_that_is_interrupted_says_so(self):
        order = {"op": "order.place", "customer_id": "c", "currency": "EUR", "payment": {"method": "card"},
                 "lines": [{"sku": "mug", "quantity": 1, "unit_price": 1}]}
        path = self.folder / "long.json"
        path.write_text(json.dumps({"name": "long", "story": "many orders", "stock": [{"sku": "mug", "quantity": 10**6}],
                                    "steps": [{"command": order, "repeat": 50}] * 2000}))
        process = subprocess.Popen([purser_program.PROGRAM, "run", path, "--data", self.data, "--json", "--quiet"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        eventually(lambda: process.poll() is not None or run("health", "--data", self.data / "engine").returncode == 0,
                   "the scenario runs")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 143, err)
        self.assertEqual(json.loads(out)["run"]["interrupted"], "SIGTERM")

    def test_a_measurement_that_is_interrupted_reports_nothing_and_cleans_up(self):
        self.data.mkdir()
        process = subprocess.Popen([purser_program.PROGRAM, "bench", "--data", self.data, "--seconds", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "orders" in line:
                break
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (143, ""), err)
        self.assertEqual(list(self.data.iterdir()), [])


if __name__ == "__main__":
    purser_program.main()
