#!/usr/bin/env python3
"""Writes the headers of the embedding API as they are installed.

usage: headers.py DIRECTORY HEADER...

DIRECTORY/purser/ gets every HEADER (a path from the project's root) under the same path, with its includes of ours
turned from "runtime/engine.hpp" into <purser/runtime/engine.hpp>: a program that has a runtime/ or actors/ of its own
never gets in the way. runtime/purser.hpp becomes purser/purser.hpp. Run in the project's root.
"""
import pathlib
import re
import shutil
import sys

INCLUDE = re.compile(r'^(\s*#\s*include\s*)"((?:actors|runtime)/[^"]+)"', re.MULTILINE)
UMBRELLA = "runtime/purser.hpp"


def main(directory, *headers):
    top = pathlib.Path(directory)
    shutil.rmtree(top / "purser", ignore_errors=True)
    for name in headers:
        text = pathlib.Path(name).read_text(encoding="utf-8")
        target = top / "purser" / ("purser.hpp" if name == UMBRELLA else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(INCLUDE.sub(r"\1<purser/\2>", text), encoding="utf-8")
    (top / "headers.stamp").touch()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
