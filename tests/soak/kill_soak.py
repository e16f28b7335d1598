#!/usr/bin/env python3
"""Kills a replay with SIGKILL at random moments, again and again on the same directory, and compares the end
with a replay that nobody disturbed.

usage: kill_soak.py PROGRAM [--rounds N] [--orders N] [--northwind] [--seed N]

Prints the seed and what it did; exit 1 when the summaries differ or a journal does not verify.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def replay(program, path, *arguments):
    done = subprocess.run([program, "replay", path, "--json", "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"replay ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def lasting(summary):
    return {key: value for key, value in summary.items() if key not in ("commands", "supervision", "run")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--northwind", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="purser-soak-") as folder:
        folder = pathlib.Path(folder)
        commands = HERE.parent.parent / "config/samples/northwind.jsonl"
        if not options.northwind:
            commands = folder / "orders.jsonl"
            with open(commands, "wb") as file:
                subprocess.run([sys.executable, HERE / "generate_orders.py", str(options.orders)], stdout=file,
                               check=True)
        began = time.monotonic()
        expected = replay(options.program, commands, "--data", folder / "undisturbed")
        whole = time.monotonic() - began
        print(f"undisturbed: {whole:.1f} s, {expected['commands']}", flush=True)
        killed = finished = 0
        data = folder / "killed-0"

        def check_end():
            ended = replay(options.program, commands, "--data", data)
            if lasting(ended) != lasting(expected):
                sys.exit(f"the summaries differ:\n{json.dumps(expected)}\n{json.dumps(ended)}")
            verified = subprocess.run([options.program, "verify", "--data", data], capture_output=True, text=True)
            if verified.returncode != 0:
                sys.exit(verified.stdout + verified.stderr)

        while killed < options.rounds:
            process = subprocess.Popen([options.program, "replay", commands, "--data", data, "--quiet",
                                        "--crash-every", "50"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            # Long enough to get on, short enough to be killed often before the end; more as more is repeated.
            most = 0.05 + whole * (2.0 / options.rounds + 0.1 * min(1, killed / options.rounds))
            try:
                process.wait(timeout=chance.uniform(0.005, most))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
                continue
            if process.returncode != 0:
                sys.exit(f"after {killed} kills replay ended with {process.returncode}: "
                         f"{process.stderr.read().decode()[-2000:]}")
            check_end()
            finished += 1
            data = folder / f"killed-{finished}"
        check_end()
        print(f"killed {killed} times, {finished + 1} directories: each ends with the same summary and verifies")


if __name__ == "__main__":
    main()
