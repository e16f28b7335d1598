#!/usr/bin/env python3
"""One byte flipped anywhere in a data directory: `verify` and `replay` say so, or nothing has changed."""
import pathlib
import random
import shutil
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import NORTHWIND, ROOT, ProgramTest, lasting, replay, run

FLIPS = 40


class Flips(ProgramTest):
    def flip_everywhere(self, whole, expected_events, expected):
        seed = random.randrange(2**32)
        print(f"seed {seed}", file=sys.stderr)
        chance = random.Random(seed)
        files = [path for path in sorted(whole.rglob("*")) if path.is_file() and path.name != "lock"
                 and path.stat().st_size > 0]
        told = 0
        for number in range(FLIPS):
            victim = files[number % len(files)]
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.copytree(whole, self.data)
            path = self.data / victim.relative_to(whole)
            content = bytearray(path.read_bytes())
            place = chance.randrange(len(content))
            content[place] ^= 1 << chance.randrange(8)
            path.write_bytes(content)
            where = f"seed {seed}: {victim.relative_to(whole)} byte {place}"

            verified = run("verify", "--data", self.data, "--quiet")

            self.assertIn(verified.returncode, (0, 1, 2), f"{where}: {verified.stderr}")
            exported = run("export", "--data", self.data, "--quiet")
            if exported.returncode == 0:
                self.assertEqual(exported.stdout, expected_events, where)  # never other data
            told += verified.returncode != 0
            again = run("replay", NORTHWIND, "--data", self.data, "--json", "--quiet")
            if again.returncode == 0:
                self.assertEqual(lasting(purser_program.json.loads(again.stdout)), expected, where)
            else:
                self.assertTrue(again.stderr.startswith("purser: "), f"{where}: {again.stderr}")
        return told

    def test_in_the_log(self):
        whole = self.folder / "whole"
        expected = lasting(replay(NORTHWIND, "--data", whole))
        events = run("export", "--data", whole).stdout

        told = self.flip_everywhere(whole, events, expected)

        self.assertGreater(told, 0)

    def test_in_the_tables(self):
        whole = self.folder / "whole"
        settings = self.folder / "settings.json"
        settings.write_text('{"journal": {"checkpoint_kib": 64}}')
        expected = lasting(replay(NORTHWIND, "--data", whole, "--config", settings))
        for _ in range(3):  # each opening writes what is in the log to a table
            replay(NORTHWIND, "--data", whole)
        events = run("export", "--data", whole).stdout

        told = self.flip_everywhere(whole, events, expected)

        self.assertGreater(told, 0)


if __name__ == "__main__":
    purser_program.main()
