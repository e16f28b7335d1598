#!/usr/bin/env python3
"""Writes CHANGELOG.md as Debian wants it: gzipped, one entry a version.

usage: changelog.py CHANGELOG.md OUTPUT.gz MAINTAINER

A section "## 0.1.0 (2026-11-30)" has its date; of one that is not dated yet it is SOURCE_DATE_EPOCH, or when the file
was last changed.
"""
import datetime
import email.utils
import gzip
import os
import pathlib
import re
import sys
import textwrap

SECTION = re.compile(r"^## (\S+) \(([^)]*)\)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def entry(version, date, text, undated, maintainer):
    try:
        when = datetime.datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        when = undated
    out = [f"purser ({version}) stable; urgency=medium", ""]
    for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:] or [text]:
        out.append(textwrap.fill(" ".join(item.split()), 78, initial_indent="  * ", subsequent_indent="    "))
    return "\n".join([*out, "", f" -- {maintainer}  {email.utils.format_datetime(when)}", "", ""])


def main(changelog, output, maintainer):
    source = pathlib.Path(changelog)
    seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or int(source.stat().st_mtime))
    undated = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    sections = SECTION.findall(source.read_text(encoding="utf-8"))
    if not sections:
        sys.exit(f"changelog.py: {changelog} has no section like '## 0.1.0 (2026-11-30)'")
    text = "".join(entry(*section, undated, maintainer) for section in sections)
    pathlib.Path(output).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
