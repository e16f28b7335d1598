#!/usr/bin/env python3
"""The library's binary interface is the one that tests/golden/abi-MACHINE.txt tells.

usage: abi_test.py BUILD_DIRECTORY

The golden file has every symbol that libpurser exports; and of every class of the embedding API its size, its members
with their offsets, and its virtual functions with their places, as the compiler has laid them out. Programs that were
built against one release go on working with the next while this file stays the same (docs/embedding.md, "Promises").
When it changes on purpose, and a version with this minor number has been released: raise the minor number in
runtime/version.hpp. Then `tools/dev golden` (PURSER_UPDATE_GOLDEN=1) writes it anew.
"""
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / f"tests/golden/abi-{platform.machine()}.txt"
BUILD = None  # the first argument

# The headers whose classes programs make, read or derive from. Those of the other public headers only have to be seen.
PROMISED = ["runtime/engine.hpp", "runtime/inspect.hpp", "runtime/introspection.hpp", "runtime/audit.hpp",
            "runtime/given_up.hpp", "actors/answer.hpp", "actors/views.hpp",
            "actors/domain/commands.hpp", "actors/domain/entity_ref.hpp", "actors/domain/money.hpp",
            "actors/domain/payment_call.hpp", "actors/domain/rejection.hpp", "actors/ports/payment_gateway.hpp"]
BESIDES = {"payment_policy", "order_status", "operation_status", "reservation_status", "document_status"}
DECLARED = re.compile(r"^(?:struct|class|enum class) (\w+)[^;]*$", re.MULTILINE)

ENTRY = re.compile(r"^ *<(\d+)><[0-9a-f]+>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)")
ATTRIBUTE = re.compile(r"^ *<[0-9a-f]+> +DW_AT_(\w+) *: (?:\(.*?\): |\(\w+\) )?(.*?)\s*$")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def promised_names():
    found = set(BESIDES)
    for header in PROMISED:
        found |= set(DECLARED.findall((ROOT / header).read_text(encoding="utf-8")))
    return found


def debugging_entries(text):
    """(depth, tag, attributes) of every entry of `readelf --debug-dump=info`."""
    current = None
    for line in text.splitlines():
        if entry := ENTRY.match(line):
            if current:
                yield current
            current = (int(entry[1]), entry[2], {})
        elif current and (attribute := ATTRIBUTE.match(line)):
            current[2].setdefault(attribute[1], attribute[2])
    if current:
        yield current


def number(text):
    """Of a value or of a DWARF expression that tells one: "2 byte block: 10 3 	(DW_OP_constu: 3)"."""
    return re.findall(r"(?:0x[0-9a-f]+|-?\d+)", text)[-1]


def layouts(names):
    """Lines on every class and enumeration of namespace purser that `names` has."""
    with tempfile.TemporaryDirectory(prefix="purser-abi-") as folder:
        source, compiled = pathlib.Path(folder, "all.cpp"), pathlib.Path(folder, "all.o")
        source.write_text("#include <purser/purser.hpp>\n")
        run("g++", "-std=c++20", f"-I{BUILD / 'include'}", "-g", "-fno-eliminate-unused-debug-types",
            "-femit-class-debug-always", "-c", source, "-o", compiled)
        text = run("readelf", "--wide", "--debug-dump=info", compiled)
    found, inside = {}, None
    namespaces = []
    for depth, tag, told in debugging_entries(text):
        del namespaces[depth:]
        namespaces += [None] * (depth - len(namespaces)) + [told.get("name") if tag == "namespace" else None]
        if inside and depth <= inside[0]:
            inside = None
        if tag in ("structure_type", "class_type", "enumeration_type") and told.get("name") in names and \
                depth == 2 and namespaces[1] == "purser" and "byte_size" in told:
            inside = (depth, found.setdefault(told["name"], []))
            inside[1].append(f"{told['name']} size {told['byte_size']}")
        elif inside and depth == inside[0] + 1:
            if tag == "member" and "data_member_location" in told:
                inside[1].append(f"  {number(told['data_member_location'])} {told['name']}")
            elif tag == "inheritance":
                inside[1].append(f"  {number(told['data_member_location'])} (base)")
            elif tag == "enumerator":
                inside[1].append(f"  {told['const_value']} {told['name']}")
            elif tag == "subprogram" and "vtable_elem_location" in told:
                inside[1].append(f"  virtual {number(told['vtable_elem_location'])} {told['name']}")
    return [line for name in sorted(found) for line in found[name]]


def exports():
    listed = run("nm", "--dynamic", "--defined-only", "--demangle", "--with-symbol-versions", BUILD / "libpurser.so")
    symbols = {line.split(" ", 2)[2] for line in listed.splitlines()}
    return sorted(symbols)


class Abi(unittest.TestCase):
    def test_the_exports_and_layouts_golden(self):
        text = "\n".join(["# Exported", *exports(), "", "# Laid out", *layouts(promised_names()), ""])

        if os.environ.get("PURSER_UPDATE_GOLDEN"):
            GOLDEN.write_text(text)
        golden = GOLDEN.read_text() if GOLDEN.exists() else ""
        self.maxDiff = None
        self.assertMultiLineEqual(golden, text, f"the binary interface has changed; see {__file__}")

    def test_only_the_embedding_api_is_exported(self):
        for symbol in exports():
            self.assertRegex(symbol, r"^(?:(?:typeinfo|typeinfo name|vtable) for )?purser::|^PURSER_[0-9.]+")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
