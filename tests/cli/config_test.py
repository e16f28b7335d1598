#!/usr/bin/env python3
"""`purser config`, `purser bench`, help and completion."""
import json
import shutil
import signal
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
        self.assertGreater(figures["receipts_per_second"], 0)
        self.assertIn("idle_cpu_percent", figures)
        sale = figures["sell_out"]
        self.assertEqual((sale["sold"], sale["refused"]), (sale["units"], sale["buyers"] - sale["units"]))
        self.assertGreater(sale["buyers_per_second"], 0)
        self.assertGreaterEqual(sale["latency_ms"]["p99"], sale["latency_ms"]["p50"])
        self.assertNotIn("scale", figures)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_part_can_be_measured_alone(self):
        done = run("bench", "--seconds", "0.2", "--rounds", "1", "--skus", "20", "--clients", "4", "--data", self.folder,
                   "--only", "one-client", "--json", "--quiet")

        self.assertEqual(done.returncode, 0, done.stderr)
        figures = json.loads(done.stdout)
        self.assertEqual(list(figures["workloads"]), ["one-client"])
        self.assertNotIn("recovery", figures)

    def test_memory_that_an_engine_before_it_has_left_behind_counts_as_free(self):
        done = run("bench", "--seconds", "1", "--rounds", "1", "--skus", "10000", "--data", self.folder, "--only", "recovery",
                   "--only", "memory", "--json", "--quiet")

        self.assertEqual(done.returncode, 0, done.stderr)
        memory = json.loads(done.stdout)["memory"]
        self.assertGreater(memory["kib_per_idle_sku"], 0.8)  # about 1.3 when its memory is really new
        self.assertGreater(memory["kib_per_live_order"], 1)

    def test_a_sell_out_is_told_in_words(self):
        done = run("bench", "--only", "sell-out", "--seconds", "0.1", "--rounds", "1", "--data", self.folder, "--quiet")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("a sell-out: 340 units, and 3,400 buyers at once\n", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^  sold +340\n  refused +3,060$")

    def scale(self, *arguments):
        return run("bench", "--only", "scale", "--seconds", "0.2", "--rounds", "1", "--clients", "8", "--data", self.folder,
                   *arguments)

    def test_scale_tells_what_so_many_skus_and_orders_cost(self):
        done = self.scale("--scale-skus", "1000", "--scale-orders", "1000", "--json")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("scale: 500 of 1,000 SKUs, ", done.stderr)
        self.assertIn("scale: 1,000 of 1,000 orders, ", done.stderr)
        figures = json.loads(done.stdout)["scale"]
        self.assertEqual([point["skus"] for point in figures["loading"]], list(range(0, 1001, 100)))
        self.assertEqual([point["orders_behind"] for point in figures["serving"]], [1000])
        for point in figures["loading"][1:] + figures["serving"]:
            self.assertGreater(point["per_second"], 0)
            self.assertGreater(point["resident_bytes"], 1_000_000)
        self.assertGreater(figures["serving"][0]["cpu_us"], 0)
        self.assertGreater(figures["events_behind"], 11_000)
        self.assertGreater(figures["serves_after_ms"], 0)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_scale_is_measured_at_powers_of_ten_and_told_in_tables(self):
        done = self.scale("--scale-skus", "1000", "--scale-orders", "12000", "--quiet")

        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^SKUs +records/s +resident MiB +disk MiB$")
        self.assertRegex(done.stdout, r"(?m)^10,000 +[0-9,]+ ")
        self.assertRegex(done.stdout, r"serves after a kill, ms, with [0-9,]+ events behind")

    def test_scale_that_the_disk_has_no_room_for_is_not_begun(self):
        skus, orders = 1_000_000_000, 400_000_000
        needed = 300 * skus + 1_800 * orders
        if shutil.disk_usage(self.folder).free > needed:
            self.skipTest("the disk has room for it")

        done = self.scale("--scale-skus", skus, "--scale-orders", orders)

        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, rf"^purser: {self.folder} has [0-9,]+ MiB free, and 1,000,000,000 SKUs and "
                                      r"400,000,000 orders need about " + f"{needed // 2**20:,} MiB: choose another "
                                      r"--data, or lower --scale-skus, --scale-orders\n$")
        self.assertEqual(list(self.folder.iterdir()), [])

    def interrupted_scale(self, *arguments):
        """Exit code, standard output and error of one that gets SIGINT while it loads SKUs."""
        process = subprocess.Popen([purser_program.PROGRAM, "bench", "--only", "scale", "--scale-skus", "20000", "--seconds", "0.2",
                                    "--rounds", "1", "--data", self.folder, *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for line in process.stderr:
            if "SKUs" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def test_scale_that_is_interrupted_reports_nothing_and_cleans_up(self):
        code, out, err = self.interrupted_scale()

        self.assertEqual((code, out), (130, ""), err)
        self.assertIn("SIGINT: nothing is reported", err)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_does_not_stop_in_time_cleans_up_too(self):
        code, out, err = self.interrupted_scale("--stop-within", "1")

        self.assertIn((code, out), ((124, ""), (130, "")), err)
        if code == 124:
            self.assertRegex(err, rf"what it wrote in {self.folder}/purser-bench-\w+ is removed")
        self.assertEqual(list(self.folder.iterdir()), [])

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
