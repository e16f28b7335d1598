"""`purser run`: every scenario holds, with crashes, and from a directory that was killed halfway."""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import purser_program  # noqa: E402
from purser_program import ROOT, ProgramTest, run  # noqa: E402

SCENARIOS = sorted((ROOT / "config" / "scenarios").glob("*.json"))


class Scenarios(ProgramTest):
    def test_there_are_at_least_twelve_stories(self):
        self.assertGreaterEqual(len(SCENARIOS), 12)
        for path in SCENARIOS:
            story = json.loads(path.read_text())
            self.assertGreater(len(story["story"]), 40, path)
            self.assertTrue(any("expect" in step for step in story["steps"]), path)

    def test_every_scenario_holds(self):
        for path in SCENARIOS:
            with self.subTest(path.name):
                done = run("run", path, "--json", "--quiet")
                self.assertEqual(done.returncode, 0, done.stderr)
                summary = json.loads(done.stdout)
                self.assertTrue(summary["scenario"]["passed"])
                self.assertGreater(summary["scenario"]["expectations"], 0)
                self.assertEqual(summary["invariants"]["broken"], 0)

    def test_every_scenario_holds_while_actors_crash(self):
        crashes = 0
        for path in SCENARIOS:
            with self.subTest(path.name):
                done = run("run", path, "--json", "--quiet", "--crash-every", "10")
                self.assertEqual(done.returncode, 0, done.stderr)
                crashes += json.loads(done.stdout)["supervision"]["crashes"]
        self.assertGreater(crashes, len(SCENARIOS))

    def test_every_scenario_holds_when_it_is_taken_up_after_a_kill(self):
        for path in SCENARIOS:
            half = len(json.loads(path.read_text())["steps"]) // 2
            with self.subTest(path.name), tempfile.TemporaryDirectory() as data:
                killed = subprocess.Popen([purser_program.PROGRAM, "run", path, "--data", data], stdout=subprocess.PIPE, text=True)
                for line in killed.stdout:  # killed in the middle of whatever follows the line of the middle step
                    step = line[20:24].strip()
                    if step.isdigit() and int(step) >= half:
                        break
                killed.send_signal(signal.SIGKILL)
                killed.wait()
                killed.stdout.close()
                done = run("run", path, "--data", data, "--json", "--quiet")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["invariants"]["broken"], 0)
                self.assertEqual(run("verify", "--data", f"{data}/engine", "--quiet").returncode, 0)


class Failures(ProgramTest):
    def scenario(self, *steps, **more):
        path = self.folder / "scenario.json"
        path.write_text(json.dumps(dict({"name": "A name", "story": "a story", "steps": steps}, **more)))
        return path

    def test_a_failure_says_what_is_there_since_when_and_why(self):
        order = {"op": "order.place", "order_id": "o-1", "customer_id": "c", "currency": "EUR",
                 "lines": [{"sku": "mug", "quantity": 1, "unit_price": 100}],
                 "payment": {"method": "card", "token": "tok_decline"}}
        path = self.scenario({"command": order, "answer": "accepted"}, {"wait": "1m"},
                             {"expect": {"order": "o-1", "is": {"status": "confirmed"}}},
                             stock=[{"sku": "mug", "quantity": 1}])

        done = run("run", path)

        self.assertEqual(done.returncode, 1)
        self.assertIn('step 3: expected order o-1: /status is "canceled", expected "confirmed"', done.stderr)
        self.assertIn("it is canceled since step 1", done.stderr)

    def test_an_answer_that_was_not_expected_is_a_failure(self):
        path = self.scenario({"command": {"op": "order.cancel", "order_id": "o-1"}, "answer": "accepted"})
        done = run("run", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("order_unknown, expected accepted", done.stderr)

    def test_mistakes_in_a_scenario_are_named_with_their_place(self):
        for step, pointer, message in [
            ({"wait": "soon"}, "/steps/0/wait", "is no duration"),
            ({"wat": "1m"}, "/steps/0/wat", 'did you mean "wait"'),
            ({"wait": "1m", "kill": True}, "/steps/0", "has 2 actions"),
            ({"command": {"op": "order.cancel"}}, "/steps/0/command/order_id", "is missing"),
            ({"together": [{"op": "x"}]}, "/steps/0/together/0/op", "unknown op"),
            ({"expect": {"order": "a", "stock": "b", "is": {}}}, "/steps/0/expect", "names one of"),
            ({"command": {"op": "order.cancel", "order_id": "a"}, "answer": "no"}, "/steps/0/answer", "rejection"),
            ({"provider": {"mood": "sad"}}, "/steps/0/provider/mood", "must be one of"),
            ({"crash": {"actor": "o-1"}}, "/steps/0/crash", "order/o-1"),
        ]:
            with self.subTest(pointer):
                done = run("run", self.scenario(step))
                self.assertEqual(done.returncode, 2)
                self.assertIn(pointer, done.stderr)
                self.assertIn(message, done.stderr)

    def test_the_schema_fits_the_format(self):
        schema = json.loads(run("config", "schema").stdout)
        step = schema["properties"]["steps"]["items"]
        self.assertFalse(step["additionalProperties"])
        for path in SCENARIOS:
            for each in json.loads(path.read_text())["steps"]:
                self.assertLessEqual(set(each), set(step["properties"]), path)
        ops = [one["properties"]["op"]["const"] for one in schema["$defs"]["command"]["oneOf"]]
        self.assertEqual(len(ops), 17)


if __name__ == "__main__":
    purser_program.main()
