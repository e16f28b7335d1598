#!/usr/bin/env python3
"""Takes backups in a loop while a replay writes to the directory, and restores and verifies each. Between two
replays it archives, so that later backups read archive files too.

usage: backup_soak.py PROGRAM [--rounds N] [--orders N] [--skus N] [--seed N]

--rounds: how many replays, each of --orders new orders on the same directory.
Prints what it did; exit 1 when a backup fails, misses an acknowledged event, or does not restore and verify.
"""
import argparse
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def acknowledged(data):
    """The recorded durable position: nothing acknowledged so far is behind it."""
    try:
        content = (data / "durable").read_bytes()
    except FileNotFoundError:
        return 0
    slots = [struct.unpack_from("<8sQQQ", content, at) for at in range(0, len(content) - 31, 32)]
    return max((slot[1:3] for slot in slots if slot[0] == b"DURMARK1"), default=(0, 0))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=30_000)
    parser.add_argument("--skus", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options, _ = parser.parse_known_args()  # `tools/dev soak` gives all scripts the same arguments
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    taken = most = 0
    with tempfile.TemporaryDirectory(prefix="purser-soak-") as folder:
        folder = pathlib.Path(folder)
        data, file, restored = folder / "data", folder / "backup.pua", folder / "restored"
        for number in range(options.rounds):
            commands = folder / "orders.jsonl"
            with open(commands, "wb") as out:
                subprocess.run([sys.executable, HERE / "generate_orders.py", str(options.orders), "--seed",
                                str(options.seed + number), "--skus", str(options.skus), "--most-lines", "20"],
                               stdout=out, check=True)
            text = commands.read_text().replace('"g-', f'"g{number}-').replace('"s-', f'"s{number}-')
            commands.write_text(text.replace('"open-', f'"open{number}-').replace('"cancel-', f'"cancel{number}-'))
            writer = subprocess.Popen([options.program, "replay", commands, "--data", data, "--quiet"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            positions = []
            while writer.poll() is None:
                if not (data / "journal").exists():
                    time.sleep(0.01)
                    continue
                before = acknowledged(data)
                if before == 0:
                    continue
                report = json.loads(run(options.program, "backup", "--data", data, "--to", file, "--force", "--json"))
                if report["position"] < before:
                    sys.exit(f"the backup ends at {report['position']}, but {before} was acknowledged before it")
                taken += 1
                most = max(most, report["openings"])
                positions.append(report["position"])
                if chance.random() < 0.25:
                    shutil.rmtree(restored, ignore_errors=True)
                    run(options.program, "restore", file, "--data", restored, "--quiet")
                else:
                    run(options.program, "restore", "--check", file)
            if writer.returncode != 0:
                sys.exit(writer.stderr.read().decode()[-2000:])
            run(options.program, "backup", "--data", data, "--to", file, "--force")
            shutil.rmtree(restored, ignore_errors=True)
            run(options.program, "restore", file, "--data", restored, "--quiet")
            if run(options.program, "export", "--data", restored) != run(options.program, "export", "--data", data):
                sys.exit("the restored directory tells other events")
            moved = json.loads(run(options.program, "archive", "--data", data, "--keep-mib", "2", "--file-mib", "8",
                                   "--json"))
            print(f"round {number}: {len(positions)} backups at {positions[:1]} to {positions[-1:]}, then "
                  f"{moved['events']} events archived", flush=True)
        run(options.program, "verify", "--data", data, "--quiet")
    print(f"{taken} backups of a live directory, each whole; at most {most} openings for one")


if __name__ == "__main__":
    main()
