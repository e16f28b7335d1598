#!/usr/bin/env python3
"""What users install works: library, headers, CMake and pkg-config packages, examples, pages, completions, the .deb.

usage: package_test.py BUILD_DIRECTORY

Everything is done from a tree that `cmake --install` made and that was then moved elsewhere: nothing may depend on the
sources, the build, or the place it was installed to. `tools/dev package-check` does the same on a clean Debian.
"""
import concurrent.futures
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
NORTHWIND = "share/purser/samples/northwind.jsonl"
STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Werror"]
EXAMPLES = ["embed", "own-provider"]

# Beside our own: the standard library's, the C library's, and what a header of ours may show of Boost.
MAY_BE_SEEN = re.compile(r"^/usr/(?:lib/gcc/|include/(?:c\+\+/|(?:x86_64|aarch64)-linux-gnu/|linux/|asm-generic/|"
                         r"[^/]+\.h$|boost/(?:describe|mp11|config|version)\b))")

BUILD = None  # the first argument
PREFIX = None  # the installed tree
WORK = None
jobs = {}  # what is being compiled meanwhile: by kind and name


def run(*command, code=0, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def environment(**more):
    return {**os.environ, "LD_LIBRARY_PATH": str(PREFIX / "lib"), **more}


def build_with_cmake(example):
    made = WORK / f"cmake-{example}"
    run("cmake", "-S", ROOT / "tools/examples" / example, "-B", made, f"-DCMAKE_PREFIX_PATH={PREFIX}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    run("cmake", "--build", made)
    return made / example


def build_with_pkg_config(source, name):
    made = WORK / name
    flags = run("pkg-config", "--cflags", "--libs", "purser",
                env=environment(PKG_CONFIG_PATH=str(PREFIX / "lib/pkgconfig"))).split()
    run("g++", *STRICT, source, "-o", made, *flags)
    return made


def preprocess_alone(header):
    """Compiles a header by itself, with warnings as errors; @returns every file that it took in."""
    source = WORK / ("alone-" + header.replace("/", "-") + ".cpp")
    listed = source.with_suffix(".d")
    source.write_text(f"#include <{header}>\n")
    run("g++", *STRICT, "-I", PREFIX / "include", "-fsyntax-only", "-MD", "-MF", listed, source)
    return [word for word in listed.read_text().replace("\\\n", " ").split()[1:] if word != str(source)]


def installed_headers():
    top = PREFIX / "include"
    return sorted(path.relative_to(top).as_posix() for path in top.rglob("*.hpp"))


def setUpModule():
    global PREFIX, WORK
    folder = tempfile.TemporaryDirectory(prefix="purser-package-")
    unittest.addModuleCleanup(folder.cleanup)
    WORK = pathlib.Path(folder.name).resolve()
    run("cmake", "--install", BUILD, "--prefix", WORK / "first")
    PREFIX = (WORK / "first").rename(WORK / "moved")
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
    unittest.addModuleCleanup(pool.shutdown, cancel_futures=True)
    for name in EXAMPLES:
        jobs["cmake", name] = pool.submit(build_with_cmake, name)
        jobs["pkg-config", name] = pool.submit(build_with_pkg_config, ROOT / f"tools/examples/{name}/main.cpp",
                                               f"pkg-config-{name}")
    for header in installed_headers():
        jobs["alone", header] = pool.submit(preprocess_alone, header)


class Headers(unittest.TestCase):
    def test_what_is_installed_is_what_the_api_includes(self):
        rules = run("g++", "-std=c++20", f"-I{ROOT}", "-MM", ROOT / "runtime/purser.hpp")
        included = [pathlib.Path(word).resolve().relative_to(ROOT).as_posix()
                    for word in rules.replace("\\\n", " ").split()[1:]]

        expected = sorted("purser/" + ("purser.hpp" if name == "runtime/purser.hpp" else name) for name in included)

        self.assertEqual(installed_headers(), expected, "PURSER_PUBLIC_HEADERS in tools/cmake/package.cmake")

    def test_every_header_compiles_by_itself_and_shows_nothing_of_caf_rocksdb_or_json(self):
        for header in installed_headers():
            foreign = [path for path in jobs["alone", header].result()
                       if not path.startswith(str(PREFIX)) and not MAY_BE_SEEN.match(path)]
            self.assertEqual(foreign, [], header)


class Library(unittest.TestCase):
    def test_it_needs_nothing_that_is_not_there_and_is_named_for_its_abi(self):
        library = PREFIX / "lib/libpurser.so"

        dynamic = run("readelf", "--dynamic", library)

        version = run(PREFIX / "bin/purser", "--version").split()[1]
        soname = "libpurser.so." + ".".join(version.split(".")[:2 if version.startswith("0.") else 1])
        self.assertIn(f"soname: [{soname}]", dynamic)
        self.assertEqual(library.resolve().name, f"libpurser.so.{version}")
        self.assertNotIn("RUNPATH", dynamic)
        self.assertNotIn("not found", run("ldd", "-r", library))


class Examples(unittest.TestCase):
    def programs(self, name):
        return [jobs[how, name].result() for how in ("cmake", "pkg-config")]

    def test_embed_sells_three_mugs_twice_over_and_tells_it_again(self):
        for number, program in enumerate(self.programs("embed")):
            data = WORK / f"shop-{number}"

            first = run(program, data, env=environment())
            second = run(program, data, env=environment())

            self.assertIn("delivery-of-mug accepted\n", first)
            self.assertRegex(first, r"\no-[12] accepted\n")
            self.assertRegex(first, r"\no-[12] refused: out_of_stock\n")
            self.assertRegex(first, "\norder o-1 is (confirmed, captured 1500|rejected, captured 0) of 1500 cents\n")
            events = re.findall(r"^(\d+) (\S+ \S+)$", first, re.MULTILINE)
            self.assertEqual([int(position) for position, _ in events], list(range(1, len(events) + 1)))
            self.assertIn("stock/mug stock_received", [told for _, told in events])
            self.assertEqual(re.findall(r"^(\d+) (\S+ \S+)$", second, re.MULTILINE), events)
            self.assertEqual(second.count(", as before\n"), 3)
            verified = json.loads(run(PREFIX / "bin/purser", "verify", "--data", data, "--json", "--quiet"))
            self.assertEqual(verified["invariants"]["broken"], 0)

    def test_embed_tells_when_the_directory_cannot_be_had(self):
        done = subprocess.run([jobs["cmake", "embed"].result(), "/dev/null/shop"], capture_output=True, text=True,
                              env=environment(), timeout=60)

        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^embed: .*/dev/null/shop")

    def test_own_provider_moves_the_money_once_however_often_it_is_asked(self):
        for program in self.programs("own-provider"):
            told = run(program, env=environment())

            self.assertIn("bank: authorize o-1:authorize-1 1500 EUR: done", told)
            self.assertRegex(told, r"bank: capture o-1:capture-1 1500 EUR: done, bank-1 \(the answer gets lost\)\n")
            self.assertRegex(told, r"bank: asked about o-1:capture-1 1500 EUR: done, bank-1\n")
            self.assertEqual(told.count("bank: capture o-1:capture-1"), 1)
            self.assertIn("bank: authorize o-2:authorize-1 15000 EUR: refused, over the limit\n", told)
            self.assertIn("order o-1: confirmed", told)
            self.assertNotIn("order o-2: confirmed", told)
            self.assertTrue(told.endswith("the bank holds 2250, the orders say 2250\n"), told)

    def test_the_first_program_of_the_documentation_runs(self):
        text = (PREFIX / "share/doc/purser/docs/embedding.md").read_text()
        source = WORK / "documented.cpp"
        program = re.search(r"```cpp\n(.*?)```", text, re.DOTALL)[1]
        source.write_text(program.replace("/var/lib/shop", str(WORK / "documented-shop")))

        built = build_with_pkg_config(source, "documented")

        self.assertEqual(run(built, env=environment()), "confirmed\n")

    def test_cmake_refuses_another_minor_version(self):
        project = WORK / "newer"
        project.mkdir()
        version = run(PREFIX / "bin/purser", "--version").split()[1].split(".")
        other = f"{version[0]}.{int(version[1]) + 1}"
        (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(newer LANGUAGES CXX)\n"
                                                f"find_package(purser {other} REQUIRED)\n")

        done = subprocess.run(["cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={PREFIX}"],
                              capture_output=True, text=True, timeout=120)

        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f'compatible with requested version "{other}"', " ".join(done.stderr.split()))


class Pages(unittest.TestCase):
    def subcommands(self, *path):
        """Every path of subcommands, by way of --help."""
        yield path
        listed = run(PREFIX / "bin/purser", *path, "--help").partition("\nSubcommands:\n")[2].partition("\n\n")[0]
        for name in re.findall(r"^  (\S+)", listed, re.MULTILINE):
            yield from self.subcommands(*path, name)

    def test_every_subcommand_has_a_page_that_groff_likes_with_all_that_help_says(self):
        paths = list(self.subcommands())

        pages = {path.name for path in (PREFIX / "share/man/man1").iterdir()}

        self.assertEqual(pages, {"-".join(("purser", *path)) + ".1.gz" for path in paths})
        self.assertGreater(len(pages), 10)
        for path in paths:
            packed = (PREFIX / "share/man/man1" / ("-".join(("purser", *path)) + ".1.gz")).read_bytes()
            done = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=200n", "-P-cbou"], timeout=60,
                                  input=gzip.decompress(packed), capture_output=True)
            self.assertEqual(done.stderr.decode(), "", path)
            page = re.sub(r"\s+", " ", done.stdout.decode().replace("\N{MINUS SIGN}", "-"))
            told = run(PREFIX / "bin/purser", *path, "--help")
            for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", told, re.MULTILINE):
                self.assertIn(option, page)
            for text in re.findall(r"^  -\S.*?  +(\S.*)$|^ {20,}(\S.*)$", told, re.MULTILINE):
                self.assertIn(re.sub(r"\s+", " ", "".join(text)), page)


class Completions(unittest.TestCase):
    """The shells themselves are asked what they would offer."""

    def offered_by_bash(self, *words):
        quoted = " ".join(f"'{word}'" for word in words)
        script = PREFIX / "share/bash-completion/completions/purser"
        return run("bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _purser; "
                   'echo "${COMPREPLY[@]}"').split()

    def offered_by_fish(self, *words):
        script = PREFIX / "share/fish/vendor_completions.d/purser.fish"
        told = run("fish", "--no-config", "-c", f"source {script}; complete -C '{' '.join(words)}'",
                   env=environment(HOME=str(WORK)))
        return [line.split("\t")[0] for line in told.splitlines()]

    def offered_by_zsh(self, *words):
        """What the function hands to zsh's own _describe and _files, which only work while somebody types."""
        script = PREFIX / "share/zsh/vendor-completions/_purser"
        quoted = " ".join(f"'{word}'" for word in words)
        return run("zsh", "-fc", "compdef() { }; _files() { print FILE }; "
                   "_describe() { for each in ${(P)@[-1]}; do print -r -- ${each%%:*}; done }; "
                   f"source {script}; words=({quoted}); CURRENT={len(words)}; PREFIX=$words[-1]; _purser").split()

    def test_every_shell_offers_subcommands_and_options(self):
        for offered in (self.offered_by_bash, self.offered_by_zsh, self.offered_by_fish):
            with self.subTest(offered.__name__):
                self.assertLessEqual({"replay", "order", "completion"}, set(offered("purser", "")))
                self.assertIn("show", offered("purser", "order", ""))
                self.assertIn("--history", offered("purser", "order", "show", "--"))
                self.assertIn("--strict", offered("purser", "replay", "orders.jsonl", "--data", "here", "--s"))
                self.assertNotIn("--strict", offered("purser", "order", "show", "--"))
                self.assertNotIn("--strict", offered("purser", "replay", "--data", "replay"))


class DebianPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", WORK / "pack", cwd=WORK)
        cls.deb, = (WORK / "pack").glob("*.deb")
        cls.tree = WORK / "unpacked"
        run("dpkg-deb", "-x", cls.deb, cls.tree)

    def field(self, name):
        return run("dpkg-deb", "--field", self.deb, name).strip()

    def test_it_says_what_it_is_and_needs(self):
        version = run(PREFIX / "bin/purser", "--version").split()[1]

        self.assertEqual(self.deb.name, f"purser_{version}_{self.field('Architecture')}.deb")
        self.assertEqual((self.field("Package"), self.field("Version")), ("purser", version))
        self.assertRegex(self.field("Maintainer"), r"^.+ <.+@.+>$")
        self.assertRegex(self.field("Depends"), r"\blibc6 \(>= [\d.]+\)")
        for library in ("libcaf-core", "librocksdb", "libboost-json", "libspdlog"):
            self.assertRegex(self.field("Depends"), rf"\b{library}")
        self.assertNotIn("-dev", self.field("Depends"))
        self.assertIn("libboost1.81-dev", self.field("Recommends"))

    def test_it_has_everything_in_its_place(self):
        names = {line.split()[5] for line in run("dpkg-deb", "-c", self.deb).splitlines()}
        for name in ("bin/purser", "lib/libpurser.so", "include/purser/purser.hpp",
                     "lib/cmake/purser/purserConfig.cmake", "lib/pkgconfig/purser.pc", "share/man/man1/purser-replay.1.gz", NORTHWIND,
                     "share/bash-completion/completions/purser", "share/zsh/vendor-completions/_purser",
                     "share/fish/vendor_completions.d/purser.fish", "share/doc/purser/copyright",
                     "share/doc/purser/changelog.gz", "share/doc/purser/docs/embedding.md",
                     "share/doc/purser/examples/embed/main.cpp", "share/doc/purser/examples/own-provider/main.cpp"):
            self.assertTrue({f"./usr/{name}"} & names, name)

    def test_modes_owners_and_checksums_are_sound(self):
        for line in run("dpkg-deb", "-c", self.deb).splitlines():
            mode, owner, name = line.split()[0], line.split()[1], line.split()[5]
            self.assertEqual(owner, "root/root", line)
            program = name == "./usr/bin/purser"
            expected = {"d": "drwxr-xr-x", "l": "lrwxrwxrwx"}.get(mode[0], "-rwxr-xr-x" if program else "-rw-r--r--")
            self.assertEqual(mode, expected, line)
        control = WORK / "control"
        run("dpkg-deb", "-e", self.deb, control)
        run("md5sum", "--check", "--quiet", control / "md5sums", cwd=self.tree)
        self.assertIn("ldconfig", (control / "triggers").read_text())
        self.assertRegex((control / "shlibs").read_text(), r"^libpurser [\d.]+ purser\b")

    def test_nothing_in_it_knows_where_it_was_built(self):
        for path in self.tree.rglob("*"):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                for place in (ROOT, BUILD, WORK):
                    self.assertNotIn(str(place).encode() + b"/", content, path)

    def test_the_program_in_it_runs(self):
        program = self.tree / "usr/bin/purser"

        summary = json.loads(run(program, "replay", self.tree / "usr" / NORTHWIND, "--json", "--quiet"))

        self.assertRegex(run(program, "--version"), r"^purser \d+\.\d+\.\d+\n$")
        self.assertEqual(summary["commands"]["invalid"], 0)
        self.assertEqual(summary["orders"]["placed"], 830)
        self.assertEqual(summary["invariants"]["broken"], 0)


if __name__ == "__main__":
    for tool in ("g++", "cmake", "cpack", "pkg-config", "dpkg-deb", "dpkg-shlibdeps", "file", "groff", "zsh", "fish"):
        if not shutil.which(tool):
            sys.exit(f"package_test.py: {tool} is missing; run CHECK=1 tools/install-deps")
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
