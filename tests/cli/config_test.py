#!/usr/bin/env python3
"""`purser config`, `purser bench`, help and completion."""
import json
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import ROOT, ProgramTest, run


class Config(ProgramTest):
    def test_a_good_file_is_good_and_a_bad_one_is_explained(self):
        good = run("config", "check", ROOT / "config/samples/purser.json")
        bad_file = self.folder / "bad.json"
        bad_file.write_text('{"engine": {"shards": 0}}')

        bad = run("config", "check", bad_file)

        self.assertEqual(good.returncode, 0)
        self.assertEqual(bad.returncode, 1)
        self.assertIn(f"{bad_file}: /engine/shards is 0; it must be from 1 to 4096", bad.stderr)

    def test_every_setting_is_shown_with_its_default(self):
        shown = json.loads(run("config", "show", "--json").stdout)

        self.assertGreater(len(shown), 10)
        for setting in shown:
            self.assertEqual(setting["value"], setting["default"])

    def test_settings_reach_the_engine(self):
        settings = self.folder / "settings.json"
        settings.write_text('{"engine": {"shards": 3}}')
        run("replay", "-", "--data", self.data, "--config", settings, stdin="")

        other = run("replay", "-", "--data", self.data, stdin="")

        self.assertEqual(other.returncode, 2)
        self.assertIn("the journal has 3 shards, not 8", other.stderr)


class Bench(ProgramTest):
    def test_a_short_benchmark_measures_everything_it_names(self):
        done = run("bench", "--seconds", "0.3", "--rounds", "2", "--skus", "50", "--clients", "8", "--data", self.folder,
                   "--json", "--quiet", "--crash-every", "50")

        self.assertEqual(done.returncode, 0, done.stderr)
        figures = json.loads(done.stdout)
        for name, parts in {"orders_per_second": ["spread", "hot"], "reservations_per_second": ["spread", "hot"],
                            "latency_ms": ["p50", "p99"],
                            "limits": ["syncs_per_second", "sync_ms_p50", "append_mb_per_second",
                                       "messages_per_second"]}.items():
            for part in parts:
                self.assertGreater(figures[name][part], 0, f"{name}.{part}")
        for name in ("cpu_us_per_order", "disk_bytes_per_event", "crashes", "healing_ms_p99"):
            self.assertGreater(figures[name], 0, name)
        self.assertEqual(set(figures["workloads"]), {"orders", "half-load", "hot-orders", "reservations",
                                                     "hot-reservations", "mixed", "one-client"})
        for name, workload in figures["workloads"].items():
            rate = workload["per_second"]
            self.assertTrue(0 < rate["min"] <= rate["median"] <= rate["max"], name)
        self.assertAlmostEqual(figures["orders_per_second"]["spread"],
                               figures["workloads"]["orders"]["per_second"]["median"])
        self.assertGreater(figures["recovery"]["tail_events"], 0)
        self.assertGreater(figures["feed_per_second"], 0)
        self.assertIn("idle_cpu_percent", figures)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_part_can_be_measured_alone(self):
        done = run("bench", "--seconds", "0.2", "--rounds", "1", "--skus", "20", "--clients", "4", "--data", self.folder,
                   "--only", "one-client", "--json", "--quiet")

        self.assertEqual(done.returncode, 0, done.stderr)
        figures = json.loads(done.stdout)
        self.assertEqual(list(figures["workloads"]), ["one-client"])
        self.assertNotIn("recovery", figures)

    def test_a_part_that_is_not_there_is_named(self):
        done = run("bench", "--only", "everything", "--data", self.folder)

        self.assertEqual(done.returncode, 2)
        self.assertIn("everything", done.stderr)


class Help(ProgramTest):
    def test_every_subcommand_has_help_with_an_example(self):
        for subcommand in (["replay"], ["run"], ["config", "schema"], ["order", "show"], ["stock", "show"], ["payment", "show"], ["export"],
                           ["verify"], ["backup"], ["restore"], ["archive"], ["bench"], ["config", "check"], ["config", "show"], ["completion"]):
            done = run(*subcommand, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, "Examples?:")

    def test_the_completion_script_is_bash(self):
        script = run("completion").stdout

        checked = subprocess.run(["bash", "-c", script + '\nCOMP_WORDS=(purser order ""); COMP_CWORD=2; _purser; '
                                  'echo "${COMPREPLY[@]}"'], capture_output=True, text=True)

        self.assertIn("show", checked.stdout)


if __name__ == "__main__":
    purser_program.main()
