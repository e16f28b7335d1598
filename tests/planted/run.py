#!/usr/bin/env python3
"""Plants bugs, one at a time, and looks whether `purser simulate` finds each of them.

usage: tests/planted/run.py [--seeds N] [--only TEXT]

Works on a copy of the last commit in build/planted. Exit 0: every bug was found, and the copy without one passes.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "planted"
SOURCE = PLACE / "source"
BUILD = PLACE / "build"
BUILD_SECONDS = 3600
RUN_SECONDS = 600


def run(*command, where=ROOT):
    subprocess.run([str(each) for each in command], cwd=where, check=True, stdout=subprocess.DEVNULL, timeout=BUILD_SECONDS)


def prepare():
    if SOURCE.exists():
        run("git", "worktree", "remove", "--force", SOURCE)
    PLACE.mkdir(parents=True, exist_ok=True)
    run("git", "worktree", "prune")
    run("git", "worktree", "add", "--detach", SOURCE, "HEAD")
    run("cmake", "-G", "Ninja", "-S", SOURCE, "-B", BUILD, "-DCMAKE_BUILD_TYPE=Release", "-DPURSER_TESTS=OFF")


def edits_of(bug):
    return [bug, *bug.get("also", [])]


def plant(bug):
    for edit in edits_of(bug):
        file = SOURCE / edit["file"]
        text = file.read_text()
        if text.count(edit["old"]) != 1:
            sys.exit(f"{bug['name']}: its place in {edit['file']} is not there once, but {text.count(edit['old'])} times")
        file.write_text(text.replace(edit["old"], edit["new"]))


def uproot(bug):
    run("git", "checkout", "--", *[edit["file"] for edit in edits_of(bug)], where=SOURCE)


def simulate(seeds):
    run("cmake", "--build", BUILD, "--target", "purser", "-j2")
    began = time.monotonic()
    done = subprocess.run([BUILD / "purser", "simulate", "--seeds", str(seeds), "--quiet", "--json"], capture_output=True,
                          text=True, timeout=RUN_SECONDS)
    if done.returncode not in (0, 1):
        sys.exit(f"purser simulate ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout), time.monotonic() - began


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=1000)
    options.add_argument("--only", default="")
    wanted = options.parse_args()
    bugs = [bug for bug in json.loads((ROOT / "tests/planted/bugs.json").read_text()) if wanted.only in bug["name"]]
    prepare()
    report, seconds = simulate(wanted.seeds)
    if report["failure"]:
        sys.exit(f"without any planted bug: {report['failure']['broken']}")
    print(f"nothing planted: {report['runs']} runs hold, {seconds:.1f} s", flush=True)
    missed = 0
    for bug in bugs:
        plant(bug)
        report, seconds = simulate(wanted.seeds)
        uproot(bug)
        found = report["failure"]
        missed += not found
        print(f"{bug['name']}: " + (f"found by seed {found['seed']} in {seconds:.1f} s: {found['broken']}" if found
                                    else f"NOT FOUND in {report['runs']} runs"), flush=True)
    sys.exit(1 if missed else 0)


main()
