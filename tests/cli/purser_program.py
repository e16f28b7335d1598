"""Runs the purser program for tests."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NORTHWIND = ROOT / "config/samples/northwind.jsonl"
PROGRAM = None  # the path of the program: the first argument of a test script


def run(*arguments, stdin=None, timeout=120):
    """Runs purser; @returns the finished process, with text output."""
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout,
                          text=isinstance(stdin, str) or stdin is None)


def replay(path, *arguments, stdin=None, code=0, timeout=300):
    """Replays; @returns the summary."""
    done = run("replay", path, "--json", "--quiet", *arguments, stdin=stdin, timeout=timeout)
    if done.returncode != code:
        raise AssertionError(f"replay ended with {done.returncode}, not {code}: {done.stderr!r}")
    return json.loads(done.stdout)


def lasting(summary):
    """What describes the data directory, and not the run."""
    return {key: value for key, value in summary.items() if key not in ("commands", "supervision", "run")}


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="purser-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"

    def lines(self, *commands):
        """Writes commands (dicts, or text as it is) to a file."""
        path = self.folder / "commands.jsonl"
        text = "".join((c if isinstance(c, str) else json.dumps(c, ensure_ascii=False)) + "\n" for c in commands)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        return path


def main():
    global PROGRAM
    PROGRAM = sys.argv.pop(1)
    sys.modules["purser_program"].PROGRAM = PROGRAM
    unittest.main()
