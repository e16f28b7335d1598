#!/usr/bin/env python3
"""Checks that includes point one way (docs/architecture.md, layers) and that file names say something.

usage: layers_test.py [--root DIR] [--self-test]

Prints one FILE:LINE: MESSAGE per violation. Exit 0: none; 1: some; 2: there was nothing to check.
--self-test plants violations in a directory of its own and checks that each is reported.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

# ---- The rules, as data -----------------------------------------------------------------------------------------

# What the program's own files may include from the layers below: the embedding API and nothing behind it.
TOOLS_MAY_INCLUDE = [
    "runtime/engine.hpp", "runtime/inspect.hpp", "runtime/backup.hpp", "runtime/given_up.hpp",
    "runtime/version.hpp", "runtime/control_client.hpp",
    "runtime/json/command_json.hpp", "runtime/bench/limits.hpp", "config/", "tools/",
    # What the same objects are on the command line: commands, views, the tables that explain them, the provider.
    "actors/views.hpp", "actors/domain/commands.hpp", "actors/domain/entity_ref.hpp", "actors/domain/order_tables.hpp",
    "actors/domain/rejection.hpp",
    "runtime/json/provider_list.hpp", "runtime/json/strict_parse.hpp", "runtime/json/time_json.hpp",
    "runtime/simulated_provider.hpp", "runtime/simulation/campaign.hpp"]

ANYTHING = object()
CAF = ["caf/"]
DESCRIBE = ["boost/describe", "boost/mp11"]

# ours: project headers it may include; theirs: libraries it may include beside the standard library, or ANYTHING;
# never: libraries it may not include whatever `theirs` says. An entry that ends in "/" is a directory, one that
# ends in a suffix is a file, any other is a library: the header of that name and all that is below it.
# The first rule whose prefix a file's path has counts; a file that no rule covers may include what it likes.
Rule = collections.namedtuple("Rule", "prefix ours theirs never", defaults=([],))
RULES = [
    Rule("actors/domain/", ["actors/domain/"], DESCRIBE + ["boost/unordered"]),
    Rule("actors/ports/", ["actors/domain/", "actors/ports/"], []),
    Rule("actors/", ["actors/", "supervisors/"], CAF + DESCRIBE + ["boost/unordered", "xxhash.h"]),
    Rule("supervisors/", ["supervisors/"], CAF),
    Rule("config/", ["config/"], DESCRIBE + ["boost/json", "boost/system"]),
    Rule("runtime/", ["actors/", "supervisors/", "config/", "runtime/"], ANYTHING),
    Rule("tools/examples/", [], ["purser/purser.hpp"]),
    Rule("tools/package/", [], []),
    Rule("tools/purser/", TOOLS_MAY_INCLUDE, ANYTHING, CAF + ["rocksdb/"]),
]

LAYERS = ["actors", "config", "runtime", "supervisors", "tools", "tests"]
SOURCES = {".hpp", ".cpp", ".h", ".ipp", ".inc", ".cc", ".hh", ".cxx", ".hxx"}
VAGUE_NAME = re.compile(r"manager|helper|util|common|misc", re.IGNORECASE)
NOT_OURS = {".git", ".cache", "build", "__pycache__"}

STANDARD = set("""
    algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts condition_variable
    coroutine deque exception execution filesystem format forward_list fstream functional future initializer_list
    iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new
    numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
    source_location span sstream stack stdexcept stop_token streambuf string string_view syncstream system_error
    thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype
""".split())

# ---- The check --------------------------------------------------------------------------------------------------

INCLUDE = re.compile(r'^\s*#\s*include\b\s*(?:(["<])([^">]+)[">])?')


def covers(entry, header):
    if entry.endswith("/"):
        return header.startswith(entry)
    return header == entry or header == entry + ".hpp" or header.startswith(entry + "/")


def any_covers(entries, header):
    return any(covers(entry, header) for entry in entries)


def complaint(rule, header):
    """What is wrong with including `header` under `rule`, or None."""
    layer = rule.prefix.rstrip("/")
    if header.split("/")[0] in LAYERS:
        return None if any_covers(rule.ours, header) else f"{layer} may not include {header}"
    if any_covers(rule.never, header):
        return f"{layer} may not include the library header {header}"
    if rule.theirs is ANYTHING or header in STANDARD or any_covers(rule.theirs, header):
        return None
    return f"{layer} may not include the library header {header}"


def violations_in_file(path, name):
    rule = next((rule for rule in RULES if name.startswith(rule.prefix)), None)
    if rule is None:
        return
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        kind, header = found.groups()
        if header is None:
            yield f"{name}:{number}: an include must name its header"
        elif kind == '"' and (header.startswith(".") or header.split("/")[0] not in LAYERS):
            yield f"{name}:{number}: write \"{header}\" from the project's root"
        elif kind == "<" and header.split("/")[0] in LAYERS:
            yield f"{name}:{number}: write <{header}> in quotes"
        elif problem := complaint(rule, header):
            yield f"{name}:{number}: {problem}"


def files(directory):
    for path in sorted(directory.iterdir()):
        if path.name in NOT_OURS:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files(path)
        elif path.is_file():
            yield path


def check(root):
    """Returns the violations and how many sources were read."""
    found, sources = [], 0
    for path in files(root):
        name = path.relative_to(root).as_posix()
        if VAGUE_NAME.search(name):
            found.append(f"{name}:1: the name must say what is in it (no manager, helper, util, common, misc)")
        if path.suffix in SOURCES:
            sources += 1
            found.extend(violations_in_file(path, name))
    return found, sources


# ---- The self-test ----------------------------------------------------------------------------------------------

# (file, text, what must be reported: (line, part of the message), or None)
PLANTED = [
    ("actors/domain/good.hpp", '#include "actors/domain/money.hpp"\n\n#include <boost/describe.hpp>\n'
     '#include <boost/describe/enum_to_string.hpp>\n#include <cstdint>\n// #include <caf/all.hpp>\n', None),
    ("actors/domain/port.hpp", '#pragma once\n#include "actors/ports/clock.hpp"\n', (2, "actors/ports/clock.hpp")),
    ("actors/domain/actor.cpp", '#include <string>\n\n#  include <caf/all.hpp>\n', (3, "caf/all.hpp")),
    ("actors/domain/json.cpp", '#include <boost/json.hpp>\n', (1, "boost/json.hpp")),
    ("actors/domain/posix.cpp", '#include <unistd.h>\n', (1, "unistd.h")),
    ("actors/domain/near.cpp", '#include "money.hpp"\n', (1, "from the project's root")),
    ("actors/domain/macro.cpp", '#include HEADER\n', (1, "must name its header")),
    ("actors/domain/angle.cpp", '#include <actors/domain/money.hpp>\n', (1, "in quotes")),
    ("actors/ports/good.hpp", '#include "actors/domain/money.hpp"\n#include "actors/ports/clock.hpp"\n', None),
    ("actors/ports/shell.hpp", '#include "actors/router.hpp"\n', (1, "actors/router.hpp")),
    ("actors/ports/described.hpp", '#include <boost/describe.hpp>\n', (1, "boost/describe.hpp")),
    ("actors/good.cpp", '#include "actors/ports/clock.hpp"\n#include "supervisors/event.hpp"\n#include <caf/send.hpp>\n'
     '#include <xxhash.h>\n#include <boost/mp11.hpp>\n', None),
    ("actors/edge.cpp", '\n\n\n#include "runtime/engine.hpp"\n', (4, "runtime/engine.hpp")),
    ("actors/store.cpp", '#include <rocksdb/db.h>\n', (1, "rocksdb/db.h")),
    ("supervisors/good.cpp", '#include "supervisors/event.hpp"\n#include <caf/send.hpp>\n', None),
    ("supervisors/order.cpp", '#include "actors/domain/order.hpp"\n', (1, "actors/domain/order.hpp")),
    ("config/good.cpp", '#include <boost/json/value.hpp>\n#include <boost/system/error_code.hpp>\n', None),
    ("config/asio.cpp", '#include <boost/asio.hpp>\n', (1, "boost/asio.hpp")),
    ("config/domain.cpp", '#include "actors/domain/money.hpp"\n', (1, "actors/domain/money.hpp")),
    ("runtime/good/deep.cpp", '#include "actors/router.hpp"\n#include "config/text.hpp"\n#include <rocksdb/db.h>\n', None),
    ("runtime/tool.cpp", '#include "tools/purser/terminal.hpp"\n', (1, "tools/purser/terminal.hpp")),
    ("runtime/test.cpp", '#include "tests/given.hpp"\n', (1, "tests/given.hpp")),
    ("tools/purser/good.cpp", '#include "runtime/engine.hpp"\n#include "tools/purser/terminal.hpp"\n#include <CLI/CLI.hpp>\n', None),
    ("tools/purser/inner.cpp", '#include "runtime/journal/store.hpp"\n', (1, "runtime/journal/store.hpp")),
    ("tools/purser/actor.cpp", '#include <caf/actor.hpp>\n', (1, "caf/actor.hpp")),
    ("tools/purser/rocks.cpp", '#include <rocksdb/db.h>\n', (1, "rocksdb/db.h")),
    ("tools/examples/good/main.cpp", '#include <purser/purser.hpp>\n#include <iostream>\n', None),
    ("tools/examples/inner/main.cpp", '#include "runtime/engine.hpp"\n', (1, "runtime/engine.hpp")),
    ("tools/examples/deep/main.cpp", '#include <purser/runtime/engine.hpp>\n', (1, "purser/runtime/engine.hpp")),
    ("tests/domain/good.cpp", '#include "runtime/engine.hpp"\n#include <caf/all.hpp>\n', None),
    ("runtime/shard_manager.hpp", "", (1, "the name must say")),
    ("tests/StringUtils.py", "", (1, "the name must say")),
    ("build/release/common.hpp", '#include "x"\n', None),
]


def self_test():
    """Returns what went wrong, one string each."""
    wrong = []
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text, _ in PLANTED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        run = subprocess.run([sys.executable, __file__, "--root", root], capture_output=True, text=True)
        reported = run.stdout.splitlines()
        if run.returncode != 1:
            wrong.append(f"exit code {run.returncode} with violations planted, expected 1")
        for name, _, expected in PLANTED:
            lines = [line for line in reported if line.startswith(name + ":")]
            if expected is None and lines:
                wrong.append(f"reported without reason: {lines[0]}")
            elif expected is not None:
                number, part = expected
                if len(lines) != 1 or not lines[0].startswith(f"{name}:{number}: ") or part not in lines[0]:
                    wrong.append(f"expected {name}:{number}: ...{part}, reported: {lines}")
        for name, _, expected in PLANTED:
            if expected is not None:
                (root / name).unlink()
        run = subprocess.run([sys.executable, __file__, "--root", root], capture_output=True, text=True)
        if run.returncode != 0 or run.stdout:
            wrong.append(f"exit code {run.returncode} without violations, expected 0; reported: {run.stdout}")
    with tempfile.TemporaryDirectory() as empty:
        run = subprocess.run([sys.executable, __file__, "--root", empty], capture_output=True, text=True)
        if run.returncode != 2:
            wrong.append(f"exit code {run.returncode} for a directory without sources, expected 2")
    return wrong


def main():
    parser = argparse.ArgumentParser(description="checks include directions and file names")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        wrong = self_test()
        print("\n".join(wrong) or f"self-test: {sum(1 for p in PLANTED if p[2])} planted violations reported")
        return 1 if wrong else 0
    found, sources = check(options.root)
    for line in found:
        print(line)
    if not sources:
        print(f"layers_test.py: there are no sources in {options.root}", file=sys.stderr)
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
