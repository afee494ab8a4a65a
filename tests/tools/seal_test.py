#!/usr/bin/env python3
"""No object of Ringlet calls what may allocate after the start, but for what tools/seals/known.toml
names; and tools/seal finds what is planted. Of the build at hand, a board's too: nothing is run.

Usage: seal_test.py SOURCE_ROOT OPTIMISATION OBJECTS_OF_SEAL_BREAKER FOLDER_OF_OBJECTS...
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
ROOT = pathlib.Path(sys.argv[1]).resolve()
IS_OPTIMISED = sys.argv[2] not in ("0", "g")
BREAKER, *FOLDERS = sys.argv[3:]
CXX = shlex.split(os.environ.get("CXX", "c++"))

sys.path.insert(0, str(ROOT / "tools"))
from seals import known, objects  # noqa: E402

# Of each way to an allocator one, and what allocates nothing.
PLANTED = r"""
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <string>
#include <vector>

namespace firmware {

[[gnu::noinline]] int harmless(const char* text) {
    char words[8];
    std::snprintf(words, sizeof words, "%s", text);
    return static_cast<int>(std::strlen(words));
}
[[gnu::noinline]] void grow(std::string& text) { text += "more than fits into the object"; }
[[gnu::noinline]] void push(std::vector<int>& numbers) { numbers.push_back(1); }
[[gnu::noinline]] std::unique_ptr<int> make() { return std::make_unique<int>(1); }
[[gnu::noinline]] char* copy(const char* text) { return ::strdup(text); }
[[gnu::noinline]] void look_up(addrinfo** out) { ::getaddrinfo("host", nullptr, nullptr, out); }

// Called by nobody, but whoever has the table can.
static void* in_table(std::size_t size) { return std::malloc(size); }
struct Hooks { void* (*get)(std::size_t); };
extern const Hooks hooks;
const Hooks hooks{in_table};
extern void* (*const given_away)(std::size_t, std::size_t);
void* (*const given_away)(std::size_t, std::size_t) = std::calloc;

struct Device {
    virtual void open();
    void* memory = nullptr;
};
void Device::open() { memory = std::realloc(memory, 8); }
[[gnu::noinline]] void give_back(void* memory) { std::free(memory); }

static std::string before_main(40, 'x');

}  // namespace firmware
"""
# Who, and what in the end; std::string's and std::vector's code is the library's or the object's.
FOUND = [("firmware::grow", r"std::.*string.*|operator new.*"),
         ("firmware::push", r"operator new\(.*\)"), ("firmware::make", r"operator new\(.*\)"),
         ("firmware::copy", "strdup"), ("firmware::look_up", "getaddrinfo"),
         ("firmware::in_table", "malloc"), ("firmware::given_away", "calloc"),
         ("firmware::Device::open", "realloc")]


def seal(*arguments):
    return subprocess.run([ROOT / "tools/seal", *arguments], capture_output=True, text=True)


class Ringlet(unittest.TestCase):
    def test_has_no_object_that_may_allocate(self):
        done = seal(*FOLDERS, *(["--by-file"] if IS_OPTIMISED else []))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        count = int(re.search(r"(\d+) objects: 0 calls", done.stdout)[1])
        self.assertGreater(count, 50)

    def test_a_program_that_the_seal_traps_is_found(self):
        done = seal(BREAKER, *FOLDERS, *(["--by-file"] if IS_OPTIMISED else []))
        self.assertEqual(done.returncode, 1)
        for function, call in (("allocate_late", r"operator new\(.*\)"), ("map_late", "mmap(?:64)?")):
            self.assertRegex(done.stdout, rf"(?m)^{BREAKER}/\S+: {function}\(\)\n(    -> .*\n)*"
                             rf"    -> {call}$")
        self.assertRegex(done.stdout, r"\n\d+ objects: 2 calls that may allocate\n\Z")

    def test_known_files_are_in_the_tree(self):
        entries = known.Known([known.LIST]).allowed
        self.assertTrue(entries)
        for entry in entries:
            self.assertTrue((ROOT / entry.file).is_file(), entry.file)


class Planted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.source = cls.folder / "planted.cpp"
        cls.source.write_text(PLANTED)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def compiled(self, *flags, name="planted.cpp.o"):
        path = self.folder / "app.p" / name
        path.parent.mkdir(exist_ok=True)
        command = [*CXX, "-std=c++23", "-fno-exceptions", "-fno-rtti", *flags, "-c", self.source]
        subprocess.run([*command, "-o", path], check=True)
        return path

    def known(self, content):
        path = self.folder / "known.toml"
        path.write_text(content)
        return path

    def assert_cannot(self, part, *arguments):
        done = seal(*arguments)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertRegex(done.stderr, rf"\Atools/seal: .*{part}.*\n\Z")

    def test_is_found_with_object_function_and_way(self):
        for flags in (["-O0"], ["-O2", "-ffunction-sections"], ["-Os", "-ffunction-sections"]):
            with self.subTest(flags):
                path = self.compiled(*flags)
                done = seal(path)
                self.assertEqual(done.returncode, 1)
                for function, call in FOUND:
                    self.assertRegex(done.stdout, rf"(?m)^{path}: {function}\b.*\n(    -> .*\n)*?"
                                     rf"    -> {call}$")
                for unwanted in ("harmless", "strlen", "_sub_I_", "static_init", "give_back"):
                    self.assertNotIn(unwanted, done.stdout)

    def test_is_found_in_a_folder(self):
        self.compiled("-O0")
        self.assertIn("-> strdup\n", seal(self.folder).stdout)

    def test_a_list_of_ones_own_allows_it(self):
        path = self.compiled("-O0")
        entry = ('[[allowed]]\nfile = "planted.cpp"\nreason = "before the run"\n'
                 'functions = ["firmware::copy"]\ncalls = ["strdup"]\n'
                 '[[harmless]]\nreason = "a test"\nnames = ["getaddr*"]\n')
        done = seal(path, "--known", self.known(entry))
        self.assertEqual(done.returncode, 1)
        for gone in ("strdup", "getaddrinfo", "no longer there"):
            self.assertNotIn(gone, done.stdout)
        self.assertIn("-> realloc\n", done.stdout)
        # Another function of that file is not allowed it, unless only files are looked at.
        other = self.known(entry.replace("firmware::copy", "firmware::grow"))
        self.assertIn("-> strdup\n", seal(path, "--known", other).stdout)
        self.assertNotIn("-> strdup\n", seal(path, "--by-file", "--known", other).stdout)

    def test_what_is_known_and_gone_is_said(self):
        stale = self.known('[[allowed]]\nfile = "planted.cpp"\nreason = "none"\n'
                           'functions = ["firmware::copy"]\ncalls = ["fopen"]\n')
        for mode in ([], ["--by-file"]):
            done = seal(self.compiled("-O0"), *mode, "--known", stale)
            self.assertIn("no longer there: planted.cpp: firmware::copy calls no fopen",
                          done.stdout)

    def test_what_is_known_of_a_file_without_any_call_is_said(self):
        self.source.write_text("int main() { return 0; }\n")
        try:
            path = self.compiled("-O0")
        finally:
            self.source.write_text(PLANTED)
        stale = self.known('[[allowed]]\nfile = "planted.cpp"\nreason = "none"\n'
                           'functions = ["main"]\ncalls = ["strdup"]\n')
        done = seal(path, "--known", stale)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no longer there: planted.cpp: main calls no strdup", done.stdout)

    def test_ones_own_allocator_is_found_as_well(self):
        self.source.write_text('extern "C" void* malloc(unsigned long) { return nullptr; }\n'
                               "void* get() { return malloc(1); }\n")
        try:
            path = self.compiled("-O0", "-w", name="own.cpp.o")
        finally:
            self.source.write_text(PLANTED)
        self.assertIn("own.cpp.o: get()\n    -> malloc\n", seal(path).stdout)

    def test_what_cannot_be_read_is_status_2_and_one_line(self):
        path = self.compiled("-O0")
        self.assert_cannot("nothing.o: No such file", self.folder / "nothing.o")
        self.assert_cannot("not an ELF file", self.source)
        empty = self.folder / "empty"
        empty.mkdir()
        self.assert_cannot("no object files", empty)
        self.assert_cannot("known.toml", path, "--known", self.known("no toml"))
        self.assert_cannot("each .*allowed.* has calls, file, functions, reason", path, "--known",
                           self.known('[[allowed]]\nfile = "a.cpp"\n'))
        self.assert_cannot("neither harmless nor allowed", path, "--known", self.known("odd = 1"))
        compiler = subprocess.run([*CXX, "--version"], capture_output=True, text=True).stdout
        if "clang" not in compiler:
            self.assert_cannot("compiled with LTO", self.compiled("-O2", "-flto", name="lto.o"))
        image = path.read_bytes()
        half = self.folder / "half.o"
        half.write_bytes(image[:len(image) // 2])
        self.assert_cannot("truncated", half)


class Names(unittest.TestCase):
    def test_spellings_of_one_function_are_one(self):
        for symbol in ("read", "__read_chk", "read@GLIBC_2.4", "__libc_read", "read64"):
            self.assertEqual(objects.plain(symbol), "read")
        for symbol in ("__ioctl_time64", "ioctl"):
            self.assertEqual(objects.plain(symbol), "ioctl")
        self.assertEqual(objects.plain("__isoc99_sscanf"), "sscanf")


if __name__ == "__main__":
    if shutil.which("c++filt") is None:
        print("skipped: there is no c++filt; tools/setup --tests installs binutils")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1], verbosity=2)
