#!/usr/bin/env python3
"""Each folder of boards/ is a board: its board.json is what docs/board.schema.json describes, and
agrees with its cross.ini and its README.md.

Usage: boards_test.py SOURCE_ROOT
"""

import configparser
import copy
import json
import pathlib
import re
import subprocess
import sys
import unittest

SKIPPED = 77
ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
BOARDS = ROOT / "boards"
SCHEMA = ROOT / "docs/board.schema.json"
# Built by the machine's own compiler.
NATIVE = "host"


def unique(pairs):
    """An object, each of whose keys stands there once: json keeps the last one otherwise."""
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"duplicate key among {', '.join(keys)}")
    return dict(pairs)


def load(path):
    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)


def violations(document):
    """What the schema refuses: "/pins/led/line: ..." for each."""
    errors = jsonschema.Draft202012Validator(load(SCHEMA)).iter_errors(document)
    return sorted("/" + "/".join(map(str, error.absolute_path)) + f": {error.message}"
                  for error in errors)


def version(text):
    return tuple(map(int, text.split(".")))


def repeated(places):
    """{alias: place}, without the first alias of each place."""
    first = {}
    return {alias: place for alias, place in places.items()
            if first.setdefault(place, alias) != alias}


def places(board):
    """Where each alias leads to."""
    pins = {alias: (pin["chip"], pin["line"]) for alias, pin in board["pins"].items()}
    buses = {alias: bus.get("device") or bus["interface"] for alias, bus in board["buses"].items()}
    return pins, buses


class Boards(unittest.TestCase):
    def each_folder(self, check):
        folders = sorted(path for path in BOARDS.iterdir() if path.is_dir())
        self.assertTrue(folders)
        for folder in folders:
            with self.subTest(folder.name):
                check(folder, load(folder / "board.json"))

    def test_files_are_as_the_schema_says(self):
        def check(folder, board):
            self.assertEqual(violations(board), [])
            self.assertEqual(board["name"], folder.name)

        self.each_folder(check)

    def test_readme_names_the_board(self):
        def check(folder, board):
            self.assertIn(board["name"], (folder / "README.md").read_text(encoding="utf-8"))

        self.each_folder(check)

    def test_cross_file_is_for_the_same_processor(self):
        def check(folder, board):
            cross = configparser.ConfigParser()
            there = cross.read(folder / "cross.ini")
            if folder.name == NATIVE:
                self.assertFalse(there)
                return
            self.assertTrue(there, "no cross.ini")
            self.assertEqual(cross["constants"]["cpu"], f"'{board['cpu']}'")
            shared = configparser.ConfigParser()
            self.assertTrue(shared.read(BOARDS / f"{board['architecture']}.ini"))
            self.assertEqual(cross.has_option("binaries", "exe_wrapper"), "emulator" in board)

        self.each_folder(check)

    def test_aliases_lead_to_different_places(self):
        def check(_, board):
            pins, buses = places(board)
            self.assertEqual(repeated(pins), {})
            self.assertEqual(repeated(buses), {})

        self.each_folder(check)

    def test_emulator_boots_the_oldest_kernel(self):
        def check(_, board):
            self.assertGreaterEqual(version(board["kernel_min"]), (6, 1))
            if emulator := board.get("emulator"):
                self.assertIn(board["kernel_min"], emulator["kernels"])

        self.each_folder(check)


# A board with all that there can be, and what breaks it: a path, the value to put there (or
# REMOVED), and a part of the complaint.
REMOVED = object()
WHOLE = "qemu-armv7"
BROKEN = [
    (["speed"], 1, "'speed' was unexpected"),
    (["pins", "led", "pull"], "up", "'pull' was unexpected"),
    (["buses", "sensors", "speed"], 1, "'speed' was unexpected"),
    (["memory", "swap_mib"], 1, "'swap_mib' was unexpected"),
    (["memory", "budget", "stack_kib"], 1, "'stack_kib' was unexpected"),
    (["emulator", "disk"], 1, "'disk' was unexpected"),
    (["emulator", "kernels", "6.1", "mirror"], "", "'mirror' was unexpected"),
    (["emulator", "other_machines", "vexpress", "disk"], 1, "'disk' was unexpected"),
    (["emulator", "other_machines", "vexpress", "machine"], REMOVED,
     "'machine' is a required property"),
    (["emulator", "other_machines", "vexpress", "devices"], "tmp105",
     "/emulator/other_machines/vexpress/devices: 'tmp105' is not of type 'array'"),
    (["name"], REMOVED, "'name' is a required property"),
    (["kernel_min"], REMOVED, "'kernel_min' is a required property"),
    (["memory", "budget"], REMOVED, "'budget' is a required property"),
    (["pins", "led", "chip"], REMOVED, "'chip' is a required property"),
    (["buses", "can", "kind"], REMOVED, "'kind' is a required property"),
    (["buses", "can", "interface"], REMOVED, "'interface' is a required property"),
    (["buses", "sensors", "device"], REMOVED, "'device' is a required property"),
    (["emulator", "kernels", "6.1", "package"], REMOVED, "'package' is a required property"),
    (["cores"], "2", "/cores: '2' is not of type 'integer'"),
    (["cores"], 0, "/cores: 0 is less than"),
    (["name"], "QEMU", "/name: 'QEMU' does not match"),
    (["architecture"], "arm", "/architecture: 'arm' is not one of"),
    (["kernel_min"], 6.1, "/kernel_min: 6.1 is not of type 'string'"),
    (["pins"], [], "/pins: [] is not of type 'object'"),
    (["pins", "Led"], {"chip": "lab", "line": 7}, "'Led' does not match"),
    (["pins", "l" * 32], {"chip": "lab", "line": 7}, "does not match"),
    (["pins", "led", "line"], "1", "/pins/led/line: '1' is not of type 'integer'"),
    (["pins", "led", "line"], -1, "/pins/led/line: -1 is less than"),
    (["pins", "led", "active"], "up", "/pins/led/active: 'up' is not one of"),
    (["pins", "led", "bias"], "up", "/pins/led/bias: 'up' is not one of"),
    (["buses", "sensors", "kind"], "lin", "/buses/sensors/kind: 'lin' is not one of"),
    (["buses", "sensors", "device"], "i2c-0", "/buses/sensors/device: 'i2c-0' does not match"),
    (["buses", "sensors", "interface"], "can0", "does not allow 'can0'"),
    (["buses", "can", "device"], "/dev/can0", "does not allow '/dev/can0'"),
    (["emulator", "kernels"], {}, "/emulator/kernels: {}"),
]


class Schema(unittest.TestCase):
    def test_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(load(SCHEMA))

    def test_refuses_what_is_wrong(self):
        board = load(BOARDS / WHOLE / "board.json")
        self.assertEqual(violations(board), [])
        for path, value, complaint in BROKEN:
            with self.subTest("/".join(path)):
                broken = copy.deepcopy(board)
                *parents, key = path
                place = broken
                for parent in parents:
                    place = place[parent]
                if value is REMOVED:
                    del place[key]
                else:
                    place[key] = value
                self.assertIn(complaint, "\n".join(violations(broken)))

    def test_duplicate_keys_and_places_are_seen(self):
        with self.assertRaises(ValueError):
            json.loads('{"led": 1, "led": 2}', object_pairs_hook=unique)
        self.assertEqual(repeated({"a": ("lab", 1), "b": ("lab", 2), "c": ("lab", 1)}),
                         {"c": ("lab", 1)})

    def test_bounds_are_those_of_the_reader(self):
        header = (ROOT / "runtime/ringlet/app/board.hpp").read_text()
        bounds = {name: int(value.replace("'", "")) for name, value in
                  re.findall(r"constexpr std::\w+ board_(\w+)_max = ([\d']+);", header)}
        schema = load(SCHEMA)
        parts, pin = schema["$defs"], schema["$defs"]["pin"]["properties"]
        self.assertEqual(bounds, {
            "pins": schema["properties"]["pins"]["maxProperties"],
            "buses": schema["properties"]["buses"]["maxProperties"],
            "alias_bytes": int(re.search(r"\{0,(\d+)\}", parts["alias"]["pattern"])[1]) + 1,
            "device_bytes": pin["chip"]["maxLength"],
            "interface_bytes": parts["bus"]["properties"]["interface"]["maxLength"],
            "line": pin["line"]["maximum"],
        })
        self.assertEqual(parts["path"]["maxLength"], bounds["device_bytes"])


class Run(unittest.TestCase):
    def run_here(self, *words):
        return subprocess.run([ROOT / "tools/board", "run", NATIVE, *words], capture_output=True,
                              text=True)

    def test_all_words_behind_the_first_dashes_are_the_programs(self):
        for words in (["a"], ["a", "--", "b"], ["--", "--"], ["--limit", "3"]):
            done = self.run_here("--", "printf", "<%s>", *words)
            self.assertEqual((done.stdout, done.stderr, done.returncode),
                             ("".join(f"<{word}>" for word in words), "", 0))
        self.assertEqual(self.run_here("printf", "a").stdout, "a")
        self.assertEqual(self.run_here("printf", "<%s>", "--", "b").stdout, "<--><b>")

    def test_without_a_program_is_an_error(self):
        for words in ([], ["--"]):
            done = self.run_here(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("PROGRAM", done.stderr)


if __name__ == "__main__":
    try:
        import jsonschema
    except ImportError:
        print("skipped: there is no python3-jsonschema; tools/setup --tests installs it")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
