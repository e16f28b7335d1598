"""`purser dead-letters` and `purser quarantine` as users see them."""
import json
import signal
import subprocess
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
import purser_program
from purser_program import ProgramTest, run


def place(order):
    return {"op": "order.place", "order_id": order, "customer_id": "c-1", "currency": "EUR",
            "lines": [{"sku": "mug", "quantity": 3, "unit_price": 500}], "payment": {"method": "card"}}


def cancel(order, command_id):
    return {"op": "order.cancel", "command_id": command_id, "order_id": order, "lines": [{"line_id": "1", "quantity": 1}]}


def poison(order, times=1):
    return {"crash": {"actor": f"order/{order}", "on": "order.cancel", "times": times, "every_delivery": True}}


class LettersTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "run" / "engine"

    def story(self, *steps):
        """Runs a scenario whose directory stays; @returns the summary."""
        path = self.folder / "scenario.json"
        path.write_text(json.dumps({"name": "Poison", "story": "told in a test", "stock": [{"sku": "mug", "quantity": 30}],
                                    "steps": [{"command": place("o-1")}, {"command": place("o-2")}, *steps]}))
        done = run("run", path, "--data", self.folder / "run", "--json", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def document(self, *arguments, code=0):
        done = run(*arguments, "--data", self.data, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def letters(self):
        return self.document("dead-letters", "list")["dead_letters"]

    def canceled(self, order):
        return self.document("order", "show", order)["lines"][0]["canceled"]

    def said(self, *arguments, code):
        """What is said on standard error."""
        done = run(*arguments, "--data", self.data)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr


class DeadLetters(LettersTest):
    def test_a_letter_is_listed_shown_and_redriven_once(self):
        summary = self.story(poison("o-1"), {"command": cancel("o-1", "c-1"), "answer": "dead_lettered"})
        self.assertEqual(summary["supervision"]["dead_letters"], 1)

        (letter,) = self.letters()
        shown = self.document("dead-letters", "show", letter["id"])
        table = run("dead-letters", "list", "--data", self.data).stdout
        redriven = self.document("dead-letters", "redrive", letter["id"])["redriven"]

        self.assertEqual(letter, shown)
        self.assertEqual((letter["entity"], letter["message"], letter["key"], letter["attempts"], letter["version"]),
                         ("order/o-1", "order.cancel", "command/c-1", 3, 3))
        self.assertEqual(letter["body"], {"op": "order.cancel", "order_id": "o-1", "lines": [{"line_id": "1", "quantity": 1}]})
        self.assertRegex(letter["id"], "^[0-9a-z]{12}$")
        self.assertRegex(letter["kept_at"], r"^\d{4}-\d\d-\d\dT")
        self.assertEqual(table.splitlines()[0].split(), ["ID", "KEPT", "ENTITY", "VERSION", "MESSAGE", "ATTEMPTS", "CAUSE"])
        self.assertIn(f"{letter['id']}  {letter['kept_at']}  order/o-1  3        order.cancel  3         told to crash", table)
        self.assertEqual(redriven, [{"id": letter["id"], "entity": "order/o-1", "message": "order.cancel", "result": "accepted",
                                     "duplicate": False, "kept": False}])
        self.assertEqual(self.letters(), [])
        self.assertEqual(self.canceled("o-1"), 1)
        self.assertIn("no dead letter", self.said("dead-letters", "redrive", letter["id"], code=1))
        self.assertEqual(self.canceled("o-1"), 1)
        self.assertEqual(run("verify", "--data", self.data, "--quiet").returncode, 0)

    def test_all_are_redriven_in_order_and_what_the_shop_says_is_told(self):
        self.story(poison("o-1"), {"command": cancel("o-1", "c-1")}, poison("o-9"), {"command": cancel("o-9", "c-9")})

        done = run("dead-letters", "redrive", "--all", "--data", self.data)

        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(lines[0], ["ID", "ENTITY", "MESSAGE", "LETTER", "RESULT"])
        self.assertEqual([line[1:] for line in lines[1:]], [["order/o-1", "order.cancel", "gone", "accepted"],
                                                          ["order/o-9", "order.cancel", "gone", "rejected", "order_unknown"]])
        again = run("dead-letters", "redrive", "--all", "--data", self.data)
        self.assertEqual((again.returncode, again.stdout), (0, "no dead letters\n"))

    def test_a_redrive_that_is_killed_and_run_again_has_one_effect(self):
        self.story(poison("o-1"), {"command": cancel("o-1", "c-1")})
        (letter,) = self.letters()
        for after in (0.02, 0.05, 0.1, 0.2, 0.4):  # wherever it happens to be then
            redrive = subprocess.Popen([purser_program.PROGRAM, "dead-letters", "redrive", "--all", "--data", str(self.data)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                redrive.wait(timeout=after)
            except subprocess.TimeoutExpired:
                redrive.send_signal(signal.SIGKILL)
                redrive.wait()
            self.assertIn(self.canceled("o-1"), (0, 1))
            if not self.letters():
                self.assertEqual(self.canceled("o-1"), 1)

        self.assertEqual(run("dead-letters", "redrive", "--all", "--data", self.data).returncode, 0)

        self.assertEqual(self.letters(), [])
        self.assertEqual(self.canceled("o-1"), 1)
        history = self.document("order", "show", "o-1", "--history")["history"]
        self.assertEqual(sum(event["event"] == "lines_canceled" for event in history), 1)
        self.assertTrue(any(event.get("cause") == f"redrive/{letter['id']}/1" for event in history))

    def test_drop_forgets_all_or_none(self):
        self.story(poison("o-1"), {"command": cancel("o-1", "c-1")}, poison("o-2"), {"command": cancel("o-2", "c-2")})
        first, second = (letter["id"] for letter in self.letters())

        near = first[:-1] + ("0" if first[-1] != "0" else "1")
        self.assertIn(f'did you mean "{first}"', self.said("dead-letters", "drop", second, near, code=1))
        self.assertEqual(len(self.letters()), 2)
        self.assertEqual([letter["id"] for letter in self.document("dead-letters", "drop", first)["dropped"]], [first])

        self.assertEqual([letter["id"] for letter in self.letters()], [second])
        self.assertIn("`purser dead-letters list --data", self.said("dead-letters", "show", "nope", code=1))

    def test_mistakes_are_told(self):
        self.story()
        self.assertIn("ID or --all", self.said("dead-letters", "redrive", code=2))
        self.assertIn("does not exist", run("dead-letters", "list", "--data", self.folder / "none").stderr)
        self.assertEqual(run("dead-letters", "list", "--data", self.folder / "none").returncode, 2)
        self.assertFalse((self.folder / "none").exists())

    def test_a_directory_in_use_says_so(self):
        self.story(poison("o-1"), {"command": cancel("o-1", "c-1")})
        (letter,) = self.letters()
        user = subprocess.Popen([purser_program.PROGRAM, "replay", "-", "--data", str(self.data), "--quiet"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        user.stdin.write(json.dumps({"op": "stock.receive", "receipt_id": "r", "sku": "cup", "quantity": 1}) + "\n")
        user.stdin.flush()
        while run("health", "--data", self.data).returncode != 0:  # it is not up yet
            self.assertIsNone(user.poll())
        for arguments in (["list"], ["show", letter["id"]], ["drop", letter["id"]], ["redrive", letter["id"]]):
            self.assertIn("in use", self.said("dead-letters", *arguments, code=2))
        self.assertIn("in use", self.said("quarantine", "list", code=2))
        user.communicate()
        self.assertEqual(user.returncode, 0)


class Quarantine(LettersTest):
    def test_a_quarantine_lasts_until_it_is_released(self):
        summary = self.story(poison("o-1", 2), {"command": cancel("o-1", "c-1"), "answer": "dead_lettered"},
                             {"command": cancel("o-1", "c-2")})
        self.assertEqual(summary["supervision"]["quarantined"], 1)
        ship = self.lines({"op": "order.ship", "order_id": "o-1", "shipment_id": "s-1"})

        (one,) = self.document("quarantine", "list")["quarantined"]
        shown = self.document("quarantine", "show", "order/o-1")
        refused = run("replay", ship, "--data", self.data, "--json", "--quiet")
        table = run("quarantine", "list", "--data", self.data).stdout
        redriven = self.document("dead-letters", "redrive", "--all", code=1)["redriven"]
        released = run("quarantine", "release", "order/o-1", "--data", self.data)
        shipped = run("replay", ship, "--data", self.data, "--json", "--quiet")

        self.assertEqual(one, shown)
        self.assertEqual((one["entity"], one["crashes"], one["version"], one["refused"]), ("order/o-1", 6, 4, 1))
        self.assertIn("told to crash", one["cause"])
        self.assertEqual(json.loads(refused.stdout)["commands"]["rejected"], 1)
        self.assertEqual(table.splitlines()[0].split(), ["ENTITY", "SINCE", "VERSION", "CRASHES", "REFUSED", "CAUSE"])
        self.assertEqual([(letter["result"], letter["reason"], letter["kept"]) for letter in redriven],
                         [("rejected", "quarantined", True)])
        self.assertEqual(released.returncode, 0, released.stderr)
        self.assertIn("released order/o-1", released.stdout)
        self.assertEqual(json.loads(shipped.stdout)["commands"]["accepted"], 1)
        self.assertEqual(self.document("quarantine", "list")["quarantined"], [])
        self.assertEqual(len(self.letters()), 1)

    def test_mistakes_are_told(self):
        self.story()
        self.assertIn("nothing is quarantined under the name", self.said("quarantine", "release", "order/o-1", code=1))
        self.assertIn('did you mean "order"', self.said("quarantine", "show", "ordr/o-1", code=2))
        self.assertIn("write KIND/ID", self.said("quarantine", "show", "o-1", code=2))
        self.assertEqual(run("quarantine", "list", "--data", self.data).stdout, "nothing is quarantined\n")


class InBackups(LettersTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "backup.pua"
        self.restored = self.folder / "restored"

    def lists(self, data):
        """What every command that lists or shows what was given up prints, as text and as JSON."""
        shown = []
        for group in ("dead-letters", "quarantine"):
            for output in ([], ["--json"]):
                done = run(group, "list", "--data", data, *output)
                self.assertEqual(done.returncode, 0, done.stderr)
                shown.append(done.stdout)
        for letter in json.loads(shown[1])["dead_letters"]:
            shown.append(run("dead-letters", "show", letter["id"], "--data", data).stdout)
        return shown

    def counts(self, *arguments):
        done = run(*arguments, "--json", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        return report["dead_letters"], report["quarantined"]

    def test_a_restored_directory_has_the_same_lists(self):
        self.story(poison("o-1", 2), {"command": cancel("o-1", "c-1")}, {"command": cancel("o-1", "c-2")},
                   poison("o-2"), {"command": cancel("o-2", "c-3")})
        user = subprocess.Popen([purser_program.PROGRAM, "replay", "-", "--data", str(self.data), "--quiet"],
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            while run("health", "--data", self.data).returncode != 0:  # it is not up yet
                self.assertIsNone(user.poll())
            made = self.counts("backup", "--data", self.data, "--to", self.file)
        finally:
            user.communicate()
        self.assertEqual(user.returncode, 0)

        checked = self.counts("restore", "--check", self.file)
        back = self.counts("restore", self.file, "--data", self.restored)
        table = run("restore", "--check", self.file).stdout

        self.assertEqual((made, checked, back), ((2, 1), (2, 1), (2, 1)))
        self.assertRegex(table, r"dead letters +2\n.*quarantined +1\n")
        self.assertEqual(self.lists(self.restored), self.lists(self.data))
        self.assertIn("order/o-1", self.lists(self.restored)[2])
        self.assertEqual(run("verify", "--data", self.restored, "--quiet").returncode, 0)
        ship = self.lines({"op": "order.ship", "order_id": "o-1", "shipment_id": "s-1"})
        refused = run("replay", ship, "--data", self.restored, "--json", "--quiet")
        self.assertEqual(json.loads(refused.stdout)["commands"]["rejected"], 1)

    def test_a_backup_without_letters_is_one_that_older_programs_read(self):
        self.story(poison("o-1"), {"command": cancel("o-1", "c-1")})
        self.assertEqual(self.counts("backup", "--data", self.data, "--to", self.file), (1, 0))
        self.assertEqual(self.file.read_bytes()[8], 2)
        (letter,) = self.letters()
        self.document("dead-letters", "drop", letter["id"])

        self.assertEqual(self.counts("backup", "--data", self.data, "--to", self.file, "--force"), (0, 0))

        self.assertEqual(self.file.read_bytes()[8], 1)

    def test_damaged_letters_are_told(self):
        self.story(poison("o-1"), {"command": cancel("o-1", "c-1")})
        self.counts("backup", "--data", self.data, "--to", self.file)
        whole = bytearray(self.file.read_bytes())
        index_at = int.from_bytes(whole[-64:-56], "little")
        whole[index_at - 1] ^= 1  # the last byte of the last block
        self.file.write_bytes(whole)

        for arguments in (["--check"], ["--data", self.restored]):
            done = run("restore", self.file, *arguments)
            self.assertEqual(done.returncode, 1)
            self.assertIn("(records 1 to 1): its checksum is wrong", done.stderr)
        self.assertFalse(self.restored.exists())


class HelpAndCompletion(ProgramTest):
    def test_every_subcommand_has_an_example_and_is_completed(self):
        for group, names in (("dead-letters", ("list", "show", "redrive", "drop")), ("quarantine", ("list", "show", "release"))):
            for name in names:
                text = run(group, name, "--help").stdout
                self.assertIn(f"Example:\n  purser {group} {name}", text)
                self.assertIn("Exit code:", text)
                self.assertIn(f'"{group} {name}"', run("completion", "bash").stdout)


if __name__ == "__main__":
    purser_program.main()
