#!/usr/bin/env python3
"""tools/bench/flamegraph on made-up samples, and with a made-up perf."""
import importlib.machinery
import importlib.util
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "tools/bench/flamegraph"
PATIENCE = 60  # seconds for anything that must happen
SVG = "{http://www.w3.org/2000/svg}"

sys.dont_write_bytecode = True
_loader = importlib.machinery.SourceFileLoader("flamegraph", str(PROGRAM))
flamegraph = importlib.util.module_from_spec(importlib.util.spec_from_loader("flamegraph", _loader))
_loader.exec_module(flamegraph)

PURSER, ROCKSDB, LIBC = "/srv/build/purser", "/usr/lib/librocksdb.so.7.8.3", "/usr/lib/libc.so.6"
KERNEL = "[kernel.kallsyms]"


def sample(thread, *frames):
    """As perf script prints it; frames are (symbol, library), the innermost first."""
    lines = [f"{thread} 4711  2277.379764:    2004008 cpu-clock:ppp: "]
    for symbol, library in frames:
        offset = "" if symbol == "[unknown]" or "+0x" in symbol else "+0x1c"
        lines.append(f"\t           58a87 {symbol}{offset} ({library})")
    return "\n".join(lines) + "\n\n"


RUN = ("purser::group_commit_journal::run", PURSER)
DECIDE = ("purser::decide", PURSER)
DRAIN = ("purser::entity_actor::drain", PURSER)

SAMPLES = (
    sample("journal", ("ext4_sync_file", KERNEL), ("fdatasync", LIBC), ("[unknown]", ROCKSDB), ("rocksdb::DBImpl::SyncWAL", ROCKSDB),
           RUN) * 30
    + sample("journal", ("[unknown]", "/usr/lib/libjemalloc.so.2"), RUN) * 10
    + sample("caf.multiplexer", DECIDE, DRAIN) * 50
    + sample("caf.multiplexer", ("std::vector<int, std::allocator<int> >::reserve", PURSER), DECIDE, DRAIN) * 10
    + sample("purser", ("main", PURSER)) * 500)


class Names(unittest.TestCase):
    def test_templates_and_arguments_go(self):
        for long, short in (
                ("rocksdb::InlineSkipList<rocksdb::MemTableRep::KeyComparator const&>::Insert<false>", "rocksdb::InlineSkipList::Insert"),
                ("purser::(anonymous namespace)::running_engine::submit", "purser::running_engine::submit"),
                ("purser::tools::add_bench(CLI::App&, std::function<int ()>&)::{lambda()#1}::operator()() const::{lambda()#2}::operator()",
                 "purser::tools::add_bench::{lambda}::operator()::{lambda}::operator()"),
                ("std::_Function_handler<void (purser::payment_answer), purser::make(long)::{lambda(int)#1}>::_M_invoke",
                 "std::_Function_handler::_M_invoke"),
                ("caf::trivial_match_case<purser::entity_actor::make_behavior()::{lambda(caf::atom_constant<(caf::atom_value)26>)#2}>::invoke",
                 "caf::trivial_match_case::invoke"),
                ("non-virtual thunk to caf::mailbox_element_vals<caf::atom_value>::~mailbox_element_vals()",
                 "caf::mailbox_element_vals::~mailbox_element_vals"),
                ("std::operator< <char, std::char_traits<char> >", "std::operator<"),
                ("purser::entity_ref::operator<=>", "purser::entity_ref::operator<=>"),
                ("std::map<int, std::less<int> >::operator[]", "std::map::operator[]"),
                ("operator new", "operator new"),
                ("purser::cut_off<std::vector<int", "purser::cut_off"),
                ("std::__detail::__variant::__gen_vtable_impl<std::__detail::__variant::_Multi_array<void", "std::visit"),
                ("_ZNSt8__detail9__variant17__gen_vtable_implINS0_12", "std::visit")):
            self.assertEqual(flamegraph.shortened(long), short)

    def test_an_argument_of_ours_tells_apart_what_must_not_be_merged(self):
        self.assertEqual(flamegraph.shortened("purser::(anonymous namespace)::aggregate_of<purser::(anonymous namespace)::stock_traits>::handle"),
                         "purser::aggregate_of<stock_traits>::handle")

    def test_every_layer_knows_its_names(self):
        for name, layer in (("ext4_sync_file_[k]", "kernel"), ("malloc", "allocator"), ("operator new", "allocator"),
                            ("[libjemalloc]", "allocator"), ("rocksdb::DBImpl::Write", "rocksdb"), ("caf::anon_send", "caf"),
                            ("purser::decide", "rules"), ("purser::stock_rules::reply", "rules"), ("purser::order_desk::take", "rules"),
                            ("purser::group_commit_journal::append", "journal"), ("purser::rocks_store::write", "journal"),
                            ("purser::run_checkpoint", "journal"), ("purser::entity_actor::drain", "shell"),
                            ("purser::router::send", "shell"), ("purser::tools::closed_run::next", "other"),
                            ("pthread_cond_signal", "other")):
            self.assertEqual(flamegraph.layer_of(name, "shell"), layer, name)

    def test_what_the_library_does_for_its_caller_counts_as_the_caller(self):
        self.assertEqual(flamegraph.layer_of("std::vector::reserve", "rules"), "rules")
        self.assertEqual(flamegraph.layer_of("__memmove_avx_unaligned_erms", "rocksdb"), "rocksdb")
        self.assertEqual(flamegraph.layer_of("std::vector::reserve", "thread"), "other")


class Folding(unittest.TestCase):
    def fold(self, text):
        return dict(flamegraph.fold_perf_script(text.splitlines(keepends=True)))

    def test_stacks_are_counted_by_thread_and_unknown_frames_go(self):
        self.assertEqual(self.fold(SAMPLES), {
            ("journal", "purser::group_commit_journal::run", "rocksdb::DBImpl::SyncWAL", "fdatasync", "ext4_sync_file_[k]"): 30,
            ("journal", "purser::group_commit_journal::run", "[libjemalloc]"): 10,
            ("caf.multiplexer", "purser::entity_actor::drain", "purser::decide"): 50,
            ("caf.multiplexer", "purser::entity_actor::drain", "purser::decide", "std::vector::reserve"): 10,
            ("purser", "main"): 500})

    def test_nobody_returns_to_the_first_byte_of_a_function(self):
        table_of_virtual_functions = ("purser::entity_actor::~entity_actor+0x0", PURSER)
        folded = self.fold(sample("caf.multiplexer", DECIDE, DRAIN, table_of_virtual_functions, ("caf::made_up", PURSER)))

        self.assertEqual(folded, {("caf.multiplexer", "purser::entity_actor::drain", "purser::decide"): 1})

    def test_the_innermost_function_may_be_at_its_first_byte(self):
        folded = self.fold(sample("journal", ("exc_page_fault", KERNEL), ("__memmove_avx+0x0", LIBC), RUN))

        self.assertEqual(folded, {("journal", "purser::group_commit_journal::run", "__memmove_avx", "exc_page_fault_[k]"): 1})

    def test_what_the_kernel_does_inside_is_cut_off(self):
        inside = [(f"inside{n}", KERNEL) for n in range(30, 0, -1)]
        (stack,) = self.fold(sample("journal", *inside, ("fdatasync", LIBC), RUN))

        self.assertEqual(stack[2:5], ("fdatasync", "inside1_[k]", "inside2_[k]"))
        self.assertEqual(len(stack), 3 + flamegraph.KERNEL_DEPTH)

    def test_threads_may_have_spaces_and_numbers(self):
        text = "rocksdb:low 7/9  12.5: cpu-clock: \n\t 1 f+0x1 (/x)\n\n" + "my thread 12 12.5: cycles:\n\t 1 f+0x1 (/x (deleted))\n"

        self.assertEqual(self.fold(text), {("rocksdb:low", "f"): 1, ("my thread", "f"): 1})


class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="purser-flamegraph-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out.svg"

    def run_it(self, *arguments, stdin=""):
        return subprocess.run([sys.executable, PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, text=True,
                              timeout=PATIENCE)


class Drawing(Program):
    def drawn(self, *arguments, stdin=SAMPLES):
        done = self.run_it("--perf-script", "-", "--out", self.out, *arguments, stdin=stdin)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        return xml.etree.ElementTree.parse(self.out).getroot()

    def boxes(self, svg):
        return {group.find(f"{SVG}title").text: group.find(f"{SVG}rect") for group in svg.iter(f"{SVG}g")}

    def test_boxes_tell_their_share_and_stand_above_their_callers(self):
        boxes = self.boxes(self.drawn())

        everything, caller = boxes["all: 100 samples, 100.0 %"], boxes["purser::entity_actor::drain: 60 samples, 60.0 % (purser's shell)"]
        callee = boxes["purser::decide: 60 samples, 60.0 % (purser's rules)"]
        self.assertAlmostEqual(float(caller.get("width")) / float(everything.get("width")), 0.6, places=2)
        self.assertEqual(caller.get("x"), callee.get("x"))
        self.assertLess(float(callee.get("y")), float(caller.get("y")))
        self.assertEqual((callee.get("class"), caller.get("class")), ("rules", "shell"))
        self.assertIn("ext4_sync_file_[k]: 30 samples, 30.0 % (kernel)", boxes)

    def test_the_legend_has_the_own_share_of_each_layer(self):
        text = " ".join(part.text for part in self.drawn().iter(f"{SVG}text"))

        for part in ("kernel 30.0 %", "allocator 10.0 %", "purser's rules 60.0 %", "RocksDB 0.0 %", "100 samples"):
            self.assertIn(part, text)

    def test_the_main_thread_is_left_out_unless_others_are_named(self):
        self.assertFalse([title for title in self.boxes(self.drawn()) if title.startswith("main")])
        others = self.boxes(self.drawn("--drop-thread", "journal", "--drop-thread", "caf.multiplexer"))
        self.assertIn("main: 500 samples, 100.0 % (clients, locks, libraries)", others)

    def test_the_same_samples_give_the_same_bytes_and_so_do_folded_ones(self):
        self.drawn("--save-folded", self.folder / "folded", "--title", "t")
        first = self.out.read_bytes()
        self.drawn("--title", "t", stdin="".join(reversed(re.findall(r"(?s)\S.*?\n\n", SAMPLES))))
        again = self.out.read_bytes()
        done = self.run_it("--folded", self.folder / "folded", "--title", "t")

        self.assertEqual(first, again)
        self.assertEqual(done.stdout.encode(), first)
        self.assertIn("caf.multiplexer;purser::entity_actor::drain;purser::decide 50\n", (self.folder / "folded").read_text())

    def test_narrow_boxes_go_and_the_file_stays_small(self):
        many = "".join(f"t;f{n};g{n};h{n} {int(1.03 ** n)}\n" for n in range(1, 600))
        done = self.run_it("--folded", "-", "--max-bytes", "20000", "--min-percent", "0", stdin=many)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(len(done.stdout.encode()), 20_000)
        self.assertIn("<title>h599: ", done.stdout)
        self.assertNotIn("<title>h300: ", done.stdout)

    def test_what_xml_would_read_is_escaped(self):
        svg = self.drawn("--title", "a < b & c", stdin=sample("t", ("std::operator< <char>", PURSER)))

        self.assertEqual(svg.find(f"{SVG}title").text, "a < b & c")
        self.assertIn("std::operator<: 1 samples, 100.0 % (clients, locks, libraries)", self.boxes(svg))

    def test_nothing_to_draw_and_bad_input_are_told(self):
        for arguments, stdin, code, part in (
                (("--perf-script", "-"), "", 1, "no samples to draw"),
                (("--perf-script", "-"), sample("purser", ("main", PURSER)), 1, "1 of threads that are left out"),
                (("--folded", "-"), "a;b 1\nthis is prose\n", 2, "line 2 of the folded stacks"),
                (("--folded", self.folder / "none"), "", 2, "none cannot be read: No such file"),
                (("--folded", "-", "--out", self.folder / "no/where"), "a;b 1\n", 2, "where cannot be written"),
                (("--folded", "-", "--perf-script", "-"), "", 2, "give either a command"),
                ((), "", 2, "give either a command"),
                (("--frequency", "0", "--folded", "-"), "", 2, "'0' is not a number from 1"),
                (("--perf", "no-such-perf", "--", "true"), "", 2, "there is no no-such-perf"),
                (("--perf", "true", "--", "no-such-program"), "", 2, "there is no program no-such-program")):
            with self.subTest(arguments=arguments):
                done = self.run_it(*arguments, stdin=stdin)
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                self.assertIn(part, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_the_help_has_examples(self):
        self.assertIn("Examples:", self.run_it("--help").stdout)


class Recording(Program):
    """With a perf that notes how it was called."""

    def perf(self, ends_with=0, hang=False):
        file = self.folder / "perf"
        (self.folder / "samples").write_text(SAMPLES)
        file.write_text(f"""#!/bin/sh
echo "$@" >>{self.folder}/calls
if [ "$1" = record ]; then
  echo "what the command prints"
  {"touch " + str(self.folder) + "/hangs; exec sleep 600" if hang else ""}
  exit {ends_with}
fi
cat {self.folder}/samples
""")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    def test_a_command_is_recorded_while_its_load_runs(self):
        done = self.run_it("--perf", self.perf(), "--delay-ms", "700", "--frequency", "99", "--", "/bin/true", "--only", "orders")

        self.assertEqual(done.returncode, 0, done.stderr)
        record, script = (self.folder / "calls").read_text().splitlines()
        self.assertRegex(record, r"^record -q -g -F 99 -D 700 -o \S+/perf.data -- /bin/true --only orders$")
        self.assertRegex(script, r"^script --no-inline -F \S+ -i \S+/perf.data$")
        self.assertIn(">true --only orders</text>", done.stdout)
        self.assertIn("what the command prints", done.stderr)

    def test_a_command_that_fails_is_told(self):
        done = self.run_it("--perf", self.perf(ends_with=3), "--", "/bin/true")

        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("ended with 3: ", done.stderr)

    def test_a_signal_ends_the_recording(self):
        process = subprocess.Popen([sys.executable, PROGRAM, "--perf", self.perf(hang=True), "--", "/bin/true"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        end = time.monotonic() + PATIENCE
        while not (self.folder / "hangs").exists():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)

        self.assertEqual((process.returncode, out), (143, ""))


if __name__ == "__main__":
    unittest.main()
