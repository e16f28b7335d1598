#!/usr/bin/env python3
"""`purser simulate`: simulated worlds, each decided by one seed."""
import json
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import ROOT, ProgramTest, run


class Simulate(ProgramTest):
    def test_many_worlds_hold_and_are_counted(self):
        done = run("simulate", "--seeds", "60", "--from", "500", "--json", "--quiet")

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["runs"], 60)
        self.assertIsNone(report["failure"])
        self.assertGreater(report["messages"], 2_000)
        self.assertGreater(report["processes"], 120)  # each world ends once at least, and begins anew
        self.assertGreater(report["reached"]["event order_placed"], 100)

    def test_people_get_a_table(self):
        done = run("simulate", "--seeds", "20", "--coverage", "--quiet")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("messages/s", done.stdout)
        self.assertIn("event order_placed", done.stdout)

    def test_the_same_seed_prints_the_same_trace(self):
        first, again, other = (run("simulate", "--trace", "--from", seed).stdout for seed in ("11", "11", "12"))

        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertIn("client c-1 stock.receive", first)

    def test_the_commands_of_a_scenario_are_sent(self):
        story = ROOT / "config/scenarios/last-unit.json"

        trace = run("simulate", "--scenario", story, "--trace", "--faults", "none").stdout
        many = run("simulate", "--scenario", story, "--seeds", "30", "--quiet")

        self.assertIn("order.place", trace)
        self.assertEqual(many.returncode, 0, many.stdout)

    def test_a_process_ends_at_every_write(self):
        done = run("simulate", "--every-write", "--from", "3", "--commands", "8", "--faults", "none", "--quiet")

        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"ended at each of \d+ writes, clean, torn and not synced: \d+ runs")

    def test_what_is_asked_for_wrongly_is_explained(self):
        fault = run("simulate", "--faults", "kill,earthquake")
        story = run("simulate", "--scenario", self.folder / "missing.json")

        self.assertEqual(fault.returncode, 2)
        self.assertIn('there is no fault "earthquake"; there are entity_crash,poison', fault.stderr)
        self.assertEqual(story.returncode, 2)
        self.assertIn("missing.json", story.stderr)


if __name__ == "__main__":
    purser_program.main()
