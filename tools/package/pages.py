#!/usr/bin/env python3
"""Writes the man pages and the shell completions of purser, from what the program tells of itself.

usage: pages.py PROGRAM DIRECTORY VERSION

DIRECTORY/man/man1/ gets purser.1.gz and a page for every subcommand that `--help` names, and every one that their
--help names (purser-order-show.1.gz). DIRECTORY/completions/ gets what `completion SHELL` prints, under the paths of
share/. No name, option or text of the program is written down here: what the program learns, the pages tell.
"""
import gzip
import pathlib
import re
import shutil
import subprocess
import sys

COMPLETIONS = {
    "bash": ["bash-completion/completions/purser"],
    "zsh": ["zsh/vendor-completions/_purser", "zsh/site-functions/_purser"],  # where Debian looks, where others do
    "fish": ["fish/vendor_completions.d/purser.fish"],
}
HEADING = re.compile(r"^(\S.*):$")
ITEM = re.compile(r"^  (\S(?:.*?\S)?)(?:  +(\S.*))?$")
CONTINUED = re.compile(r"^ {8,}(\S.*)$")
BOUNDS = re.compile(r"(\w+):\w+ in \[(\S+) - (\S+)\]")


class Help:
    """One --help, taken apart: its description, its usage, its sections of (name, text), what its end says."""

    def __init__(self, text):
        self.sections, self.examples, self.notes, self.exit_status = {}, [], [], []
        description, usage, rest = re.match(r"(.*?)\nUsage: (.*?)\n(.*)", text, re.DOTALL).groups()
        self.description = " ".join(description.split())
        self.usage = usage
        self.end = ""  # all that follows the last list: a subcommand without its own shows its parent's
        current = None
        for line in rest.splitlines():
            current = self._read(line, current)

    def _read(self, line, current):
        """@returns the name of the section that goes on after this line."""
        if heading := HEADING.match(line):
            if heading[1].rstrip("s") == "Example":
                self.end += line
                return "Example"
            self.sections[heading[1]] = []
            return heading[1]
        if current == "Example" and line.startswith("  "):
            self.end += line
            self.examples.append(line[2:])
        elif current in self.sections and (more := CONTINUED.match(line)):
            name, known = self.sections[current][-1]
            self.sections[current][-1] = (name, f"{known} {more[1]}".strip())
        elif current in self.sections and (item := ITEM.match(line)):
            self.sections[current].append((item[1], item[2] or ""))
        elif line.strip():
            self.end += line
            found = re.match(r"Exit codes?: (.*)", line)
            (self.exit_status if found else self.notes).append(found[1] if found else line.strip())
            return None
        return current

    def subcommands(self):
        return [name.split()[0] for name, _ in self.sections.get("Subcommands", [])]


def ask(program, *arguments):
    done = subprocess.run(["purser", *arguments], executable=program, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"pages.py: purser {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def collect(program, path=()):
    """(path, Help) of a subcommand and all below it, parents first."""
    here = Help(ask(program, *path, "--help"))
    yield path, here
    for name in here.subcommands():
        yield from collect(program, (*path, name))


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def sentence(text):
    return text if re.search(r"[.!?]$", text) else text + "."


def item_name(name):
    """Names bold; what is theirs to fill in, in italics."""
    name = BOUNDS.sub(r"\1, \2 to \3", name).replace(" REQUIRED", " (required)")
    names, _, value = name.partition(" ")
    made = ", ".join(f"\\fB{roff(each)}\\fR" for each in names.split(","))
    return made + (f" \\fI{roff(value)}\\fR" if value else "")


def page(path, told, inherited_end, every_path, version):
    title = "-".join(("purser", *path))
    summary = re.sub(r"^purser: ", "", told.description).rstrip(".")
    out = [f'.TH {roff(title.upper())} 1 "" "purser {version}" "purser manual"',
           ".SH NAME", f"{roff(title)} \\- {roff(summary[:1].lower() + summary[1:])}",
           ".SH SYNOPSIS", f"\\fB{roff(' '.join(('purser', *path)))}\\fR"
           f" {roff(told.usage.removeprefix(' '.join(('purser', *path))).strip())}",
           ".SH DESCRIPTION", roff(sentence(summary))]
    own_end = told.end != inherited_end
    for note in told.notes if own_end else []:
        out += [".PP", roff(note)]
    for heading, items in told.sections.items():
        out.append(f".SH {roff(heading.upper())}")
        for name, text in items:
            if heading == "Subcommands":
                out += [".TP", f"\\fB{roff('-'.join((title, name)))}\\fR(1)", roff(sentence(text))]
            else:
                out += [".TP", item_name(name), roff(text) or "\\&"]
    if told.exit_status:
        out += [".SH EXIT STATUS"] + [roff(sentence(text)) for text in told.exit_status]
    if told.examples and own_end:
        out += [".SH EXAMPLES", ".nf"] + [roff(line) or "\\&" for line in told.examples] + [".fi"]
        if any("config/samples" in line for line in told.examples):
            out += [".PP", "The files of \\fIconfig/samples\\fR are installed as \\fIshare/purser/samples\\fR."]
    others = ["-".join(("purser", *other)) for other in every_path if other != path and len(other) < 2]
    out += [".SH SEE ALSO", ", ".join(f"\\fB{roff(name)}\\fR(1)" for name in others)]
    return title, "\n".join(out) + "\n"


def main(program, directory, version):
    top = pathlib.Path(directory)
    for folder in ("man", "completions"):
        shutil.rmtree(top / folder, ignore_errors=True)
    (top / "man/man1").mkdir(parents=True)
    pages = list(collect(program))
    every_path = [path for path, _ in pages]
    ends = {path: told.end for path, told in pages}
    for path, told in pages:
        inherited = ends[path[:-1]] if path else None
        title, text = page(path, told, inherited, every_path, version)
        packed = gzip.compress(text.encode(), mtime=0)  # the same bytes whenever it is built
        (top / f"man/man1/{title}.1.gz").write_bytes(packed)
    for shell, names in COMPLETIONS.items():
        script = ask(program, "completion", shell)
        for name in names:
            (top / "completions" / name).parent.mkdir(parents=True, exist_ok=True)
            (top / "completions" / name).write_text(script)
    (top / "pages.stamp").touch()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
