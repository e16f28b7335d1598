#!/usr/bin/env python3
"""`purser backup`, `restore` and `archive` as users see them."""
import json
import os
import pty
import random
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import NORTHWIND, ROOT, ProgramTest, lasting, replay, run


class BackupTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "backup.pua"
        self.restored = self.folder / "restored"
        self.settings = self.folder / "settings.json"
        self.settings.write_text('{"journal": {"checkpoint_kib": 64}}')

    def report(self, *arguments, code=0):
        """Runs with --json; @returns the document."""
        done = run(*arguments, "--json", "--quiet")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def export(self, data):
        done = run("export", "--data", data, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def generated(self, orders):
        path = self.folder / "orders.jsonl"
        with open(path, "wb") as out:
            subprocess.run([sys.executable, ROOT / "tests/soak/generate_orders.py", str(orders), "--skus", "50",
                            "--most-lines", "5"], stdout=out, check=True)
        return path


class Backup(BackupTest):
    def test_a_restored_directory_is_the_same_shop(self):
        expected = replay(NORTHWIND, "--data", self.data)

        made = self.report("backup", "--data", self.data, "--to", self.file)
        back = self.report("restore", self.file, "--data", self.restored)

        self.assertEqual(made["file_bytes"], self.file.stat().st_size)
        self.assertEqual((made["position"], made["events"]), (made["events"], back["events"]))
        self.assertEqual(len(made["id"]), 16)
        self.assertGreater(back["invariants_checked"], 1000)
        self.assertEqual(self.export(self.restored), self.export(self.data))
        again = replay(NORTHWIND, "--data", self.restored)
        self.assertEqual(again["commands"]["duplicate"], 1716)
        self.assertEqual(lasting(again), lasting(expected))

    def test_backups_while_a_replay_runs_are_whole(self):
        commands = self.generated(2500)
        writer = subprocess.Popen([purser_program.PROGRAM, "replay", str(commands), "--data", str(self.data),
                                   "--config", str(self.settings), "--quiet", "--crash-every", "50"],
                                  stdout=subprocess.DEVNULL)
        positions = [0]
        while writer.poll() is None:
            done = run("backup", "--data", self.data, "--to", self.file, "--force", "--json", "--quiet")
            if done.returncode != 0 and positions == [0]:
                continue  # there is no journal yet
            self.assertEqual(done.returncode, 0, done.stderr)
            positions.append(json.loads(done.stdout)["position"])
            self.assertEqual(self.report("restore", "--check", self.file)["events"], positions[-1])
        self.assertEqual(writer.returncode, 0)
        self.assertEqual(positions, sorted(positions))
        self.assertGreater(len(positions), 2)

        back = self.report("restore", self.file, "--data", self.restored)

        whole = self.export(self.data)
        self.assertEqual(back["events"], positions[-1])
        self.assertTrue(whole.startswith(self.export(self.restored)))
        self.assertEqual(lasting(replay(commands, "--data", self.restored)),
                         lasting(replay(commands, "--data", self.data)))

    def test_a_backup_is_there_whole_or_not_at_all(self):
        replay(NORTHWIND, "--data", self.data)
        seed = random.randrange(2**32)
        print(f"seed {seed}", file=sys.stderr)
        chance = random.Random(seed)
        for _ in range(15):
            process = subprocess.Popen([purser_program.PROGRAM, "backup", "--data", str(self.data), "--to",
                                        str(self.file), "--force", "--quiet"], stdout=subprocess.DEVNULL)
            try:
                process.wait(timeout=chance.uniform(0.01, 0.12))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if self.file.exists():
                self.report("restore", "--check", self.file)

        self.report("backup", "--data", self.data, "--to", self.file, "--force")

        self.assertFalse((self.folder / "backup.pua.partial").exists())
        self.report("restore", "--check", self.file)

    def test_nothing_is_overwritten_unless_it_is_asked_for(self):
        replay(self.lines(), "--data", self.data)
        self.file.write_text("precious")

        refused = run("backup", "--data", self.data, "--to", self.file)

        self.assertEqual(refused.returncode, 2)
        self.assertIn(f"{self.file} exists already", refused.stderr)
        self.assertEqual(self.file.read_text(), "precious")
        self.report("backup", "--data", self.data, "--to", self.file, "--force")
        self.report("restore", "--check", self.file)

    def test_errors_say_what_is_wrong(self):
        replay(self.lines(), "--data", self.data)
        for arguments, told in [
                (["backup", "--data", self.folder / "none", "--to", self.file], "none does not exist"),
                (["backup", "--data", self.data, "--to", self.folder / "none" / "b.pua"], "No such file"),
                (["restore", self.folder / "none.pua", "--data", self.restored], "none.pua does not exist"),
                (["restore", NORTHWIND], "restore needs --data DIR"),
                (["archive", "--data", self.folder], "holds no journal")]:
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(told, done.stderr)
        self.assertFalse(self.restored.exists())

    def test_a_damaged_or_foreign_file_is_refused_and_leaves_nothing(self):
        replay(NORTHWIND, "--data", self.data)
        self.report("backup", "--data", self.data, "--to", self.file)
        whole = self.file.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 3] ^= 1
        for bytes_ in (bytes(flipped), whole[:len(whole) // 2], whole[:-1], b"", b"x" * 5000):
            self.file.write_bytes(bytes_)
            for arguments in (["restore", self.file, "--data", self.restored], ["restore", "--check", self.file]):
                done = run(*arguments)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{self.file} is damaged: ", done.stderr)
            self.assertEqual(self.report("restore", "--check", self.file, code=1)["ok"], False)
            self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                             ["backup.pua", "data", "settings.json"])

    def test_progress_is_for_terminals(self):
        replay(NORTHWIND, "--data", self.data)
        ours, theirs = pty.openpty()
        done = subprocess.run([purser_program.PROGRAM, "backup", "--data", self.data, "--to", self.file],
                              stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        self.assertIn(b"backup [", os.read(ours, 65536))
        os.close(ours)
        self.assertIn(b"events", done.stdout)
        self.assertEqual(run("backup", "--data", self.data, "--to", self.file, "--force").stderr, "")


class Archive(BackupTest):
    def test_an_archived_directory_is_read_as_before(self):
        replay(NORTHWIND, "--data", self.data, "--config", self.settings)
        before = self.export(self.data)
        order = run("order", "show", "NW-10248", "--data", self.data, "--json", "--history").stdout

        made = self.report("archive", "--data", self.data)

        self.assertEqual(made["files"], ["000001.pua"])
        self.assertGreater(made["events"], 10_000)
        self.assertLess(made["journal_bytes_after"], made["journal_bytes_before"])
        self.assertEqual(self.export(self.data), before)
        self.assertEqual(run("order", "show", "NW-10248", "--data", self.data, "--json", "--history").stdout, order)
        self.assertEqual(run("verify", "--data", self.data).returncode, 0)
        self.assertEqual(replay(NORTHWIND, "--data", self.data)["commands"]["duplicate"], 1716)
        self.assertEqual(self.report("archive", "--data", self.data)["files"], [])

        self.report("backup", "--data", self.data, "--to", self.file, "--without-archive")
        files = sorted((self.data / "archive").iterdir())
        self.assertEqual(run("restore", self.file, "--data", self.restored).returncode, 1)
        self.report("restore", self.file, *files, "--data", self.restored)
        self.assertEqual(self.export(self.restored), before)

    def test_a_missing_archive_file_is_told_and_orders_are_still_served(self):
        replay(NORTHWIND, "--data", self.data)
        self.report("archive", "--data", self.data)
        gone = self.data / "archive" / "000001.pua"
        gone.rename(self.folder / "kept")

        for arguments, code in ((["verify"], 1), (["export"], 2), (["order", "show", "NW-10248", "--history"], 2)):
            done = run(*arguments, "--data", self.data)
            self.assertEqual(done.returncode, code)
            self.assertIn(f"{gone} is missing", done.stdout + done.stderr)
        shown = json.loads(run("order", "show", "NW-10248", "--data", self.data, "--json").stdout)
        self.assertEqual(shown["status"], "completed")
        self.assertEqual(replay(NORTHWIND, "--data", self.data)["commands"]["duplicate"], 1716)

    def test_killed_again_and_again_it_loses_nothing(self):
        replay(NORTHWIND, "--data", self.data)
        before = self.export(self.data)
        seed = random.randrange(2**32)
        print(f"seed {seed}", file=sys.stderr)
        chance = random.Random(seed)
        for number in range(8):
            process = subprocess.Popen([purser_program.PROGRAM, "archive", "--data", str(self.data), "--keep-mib",
                                        "0", "--quiet"], stdout=subprocess.DEVNULL)
            try:
                process.wait(timeout=chance.uniform(0.02, 0.4))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.assertEqual(self.export(self.data), before, f"seed {seed}, round {number}")

        self.report("archive", "--data", self.data)

        self.assertEqual(self.export(self.data), before)
        self.assertEqual(run("verify", "--data", self.data).returncode, 0)

    def test_it_needs_the_directory_for_itself(self):
        feeder = subprocess.Popen([purser_program.PROGRAM, "replay", "-", "--data", str(self.data), "--quiet"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            while run("backup", "--data", self.data, "--to", self.file, "--quiet").returncode != 0:
                self.assertIsNone(feeder.poll())
            done = run("archive", "--data", self.data)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"in use by purser, process {feeder.pid}", done.stderr)
        finally:
            feeder.stdin.close()
            feeder.wait()


if __name__ == "__main__":
    purser_program.main()
