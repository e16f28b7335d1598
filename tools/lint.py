#!/usr/bin/env python3
"""Runs clang-tidy over the sources, and not twice over what has passed already.

usage: tools/lint.py [--all | FILE...] [--jobs N]

Without arguments: the .cpp files that changed since this branch left main (on main: since the commit before),
committed or not, and for every header that did one source that shows it to clang-tidy. A file that passed is
remembered in build/tidy-cache under a hash of itself, every project header it includes, how it is compiled and
.clang-tidy.
Exit 0: nothing found; 1: findings, printed; 2: could not run.
"""
import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RULES = (ROOT / ".clang-tidy", ROOT / "tests/.clang-tidy")
DATABASE = ROOT / "build/release/compile_commands.json"
CACHE = ROOT / "build/tidy-cache"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def changed_files():
    base = (git("merge-base", "HEAD", "origin/main") or git("merge-base", "HEAD", "main") or [""])[0]
    if base == (git("rev-parse", "HEAD") or [""])[0]:
        base = (git("rev-parse", "--verify", "HEAD~1") or [""])[0]
    since = git("diff", "--name-only", base) if base else []
    return set(since) | set(git("ls-files", "--others", "--exclude-standard"))


class includes:
    """The project headers that a file includes, directly or through others."""

    def __init__(self):
        self._direct = {}

    def direct(self, name):
        if name not in self._direct:
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            self._direct[name] = [found for found in INCLUDE.findall(text) if (ROOT / found).is_file()]
        return self._direct[name]

    def closure(self, name):
        seen, todo = set(), [name]
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo.extend(self.direct(current))
        return sorted(seen)


def clang_command(entry):
    """The command without GCC's precompiled header, which clang cannot read; its text is included instead."""
    words = shlex.split(entry["command"])
    words = [word for word in words if word != "-Winvalid-pch"]
    return [re.sub(r".*/cmake_pch\.hxx$", str(ROOT / "tools/cmake/caf_pch.hpp"), word) for word in words]


def translation_units():
    """name -> the database's entry, for every source of ours that is compiled."""
    units = {}
    for entry in json.loads(DATABASE.read_text()):
        path = pathlib.Path(entry["file"])
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        if path.is_file() and name and not name.startswith("build/"):
            units[name] = {"directory": entry["directory"], "file": entry["file"], "arguments": clang_command(entry)}
    return units


def cover(wanted, units, graph):
    """The wanted sources, and enough others that every wanted header is included by one of them."""
    chosen = wanted & set(units)
    seen = {name for unit in chosen for name in graph.closure(unit)}
    for header in sorted(wanted - set(units)):
        if header not in seen:
            shown_by = [unit for unit in units if header in graph.closure(unit)]
            own = [unit for unit in shown_by if pathlib.Path(unit).stem == pathlib.Path(header).stem]
            for unit in (own or sorted(shown_by))[:1]:
                chosen.add(unit)
                seen.update(graph.closure(unit))
    return chosen


def fingerprint(entry, files, version):
    digest = hashlib.sha256(version + b"".join(rules.read_bytes() for rules in RULES) + json.dumps(entry).encode())
    for name in files:
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def tidy(name):
    done = subprocess.run(["clang-tidy", "-p", CACHE, "--quiet", ROOT / name], capture_output=True, text=True)
    return name, done.returncode, done.stdout, done.stderr


def main():
    parser = argparse.ArgumentParser(description="clang-tidy over what changed, everything, or FILEs")
    parser.add_argument("--all", action="store_true", help="every source")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*", metavar="FILE", help="sources or headers")
    options = parser.parse_args()

    units, graph = translation_units(), includes()
    named = {str(pathlib.Path(file).resolve().relative_to(ROOT)) for file in options.files}
    chosen = sorted(units if options.all else cover(named or changed_files(), units, graph))

    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "compile_commands.json").write_text(json.dumps(list(units.values())))
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True).stdout
    passed = {name: CACHE / fingerprint(units[name], graph.closure(name), version) for name in chosen}
    todo = [name for name in chosen if not passed[name].exists()]

    started, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, (name, code, output, errors) in enumerate(pool.map(tidy, todo), 1):
            if code == 0:
                passed[name].touch()
            else:
                failed += 1
                print(output or errors, end="", flush=True)
            if sys.stderr.isatty():
                print(f"\rLint [{done}/{len(todo)}] {name}\033[K", end="", file=sys.stderr)
    if sys.stderr.isatty() and todo:
        print("\r\033[K", end="", file=sys.stderr)
    print(f"Lint: {len(chosen)} of {len(units)} sources, {len(todo)} not seen before, {failed} with findings, "
          f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as problem:
        print(f"tools/lint.py: {problem}", file=sys.stderr)
        sys.exit(2)
