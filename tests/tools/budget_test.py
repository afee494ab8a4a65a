#!/usr/bin/env python3
"""tools/budget on programs whose frames and sizes are known: small ones that write their frame
records themselves, and one for ARM made by hand.

Usage: budget_test.py SOURCE_ROOT
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
CXX = shlex.split(os.environ.get("CXX", "c++"))

sys.path.insert(0, str(ROOT / "tools"))
from budgets import elf, frames, observed, parts  # noqa: E402

# Coroutines of the real shape: operator new is always inlined, and each frame's size a constant.
# Run, they print the sizes.
COROUTINES = r"""
#include <coroutine>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>

#if __SIZEOF_POINTER__ == 8
#define RINGLET_RECORD ".8byte .Lframe_%=\n.4byte %c0\n.4byte 0\n"
#else
#define RINGLET_RECORD ".4byte .Lframe_%=\n.4byte %c0\n"
#endif

namespace ringlet {

inline char kept[65536];
inline std::size_t used = 0;

[[gnu::always_inline]] inline void record(std::size_t bytes) {
    if (__builtin_constant_p(bytes)) {
        asm volatile(".Lframe_%=:\n.pushsection .ringlet.frames,\"o\",%%progbits,.Lframe_%=\n"
                     RINGLET_RECORD ".popsection" ::"i"(bytes));
    }
}

struct Task {
    struct promise_type {
        [[gnu::always_inline]] static void* operator new(std::size_t bytes) {
            record(bytes);
            std::printf("%zu\n", bytes);
            used += bytes;
            return kept + used - bytes;
        }
        static void operator delete(void*, std::size_t) {}
        Task get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
    std::coroutine_handle<promise_type> handle;
};

}  // namespace ringlet
"""

PROGRAM = COROUTINES + r"""
namespace ringlet::log {
char ring[4096];
}

namespace demo {

char table[TABLE_BYTES];
thread_local char scratch[2048];
char runtime[3000];
void* volatile seen;  // so that what it points to must be there

void use(ringlet::Task task) {
    ringlet::log::ring[1] = table[2] = scratch[3] = runtime[4] = 'x';
    seen = task.handle.address();
}

[[gnu::noinline]] ringlet::Task large() {
    char buffer[LARGE_BYTES];
    seen = buffer;
    co_await std::suspend_always{};
    std::printf("%c", buffer[0]);
}

template <class T>
static inline ringlet::Task inlined(T value) {
    co_await std::suspend_always{};
    std::printf("%d", static_cast<int>(value));
}

[[gnu::noinline]] void start() {
    use(inlined(1));
    use(inlined(2L));
    use([](int value) -> ringlet::Task {
        const auto inner = [](int other) -> ringlet::Task {
            co_await std::suspend_always{};
            std::printf("%d", other);
        };
        use(inner(value));
        co_await std::suspend_always{};
        std::printf("%d", value);
    }(3));
}

[[gnu::noinline]] void start_again() {
    use(inlined(4));
    EXTRA
}

}  // namespace demo

int main() {
    demo::use(demo::large());
    demo::start();
    demo::start_again();
}
"""


# Two of these are one program; each file has a coroutine of the same name.
NAMESAKE = COROUTINES + r"""
namespace demo {
namespace {

[[gnu::noinline]] ringlet::Task work() {
    char buffer[BUFFER_BYTES];
    seen = buffer;
    co_await std::suspend_always{};
    std::printf("%c", buffer[0]);
}

}  // namespace

void START() { seen = work().handle.address(); }

}  // namespace demo
"""


def build_namesakes(folder, first, second):
    program = folder / "namesakes"
    command = [*CXX, "-std=c++23", "-fno-exceptions", "-fno-rtti", "-O2", "-g", "-o", program]
    for name, size in {"first": first, "second": second}.items():
        source = folder / f"{name}.cpp"
        source.write_text(f"namespace demo {{ extern void* volatile seen; }}\n{NAMESAKE}"
                          .replace("BUFFER_BYTES", str(size)).replace("START", name))
        command.append(source)
    main = folder / "main.cpp"
    main.write_text("namespace demo { void* volatile seen; void first(); void second(); }\n"
                    "int main() { demo::first(); demo::second(); }\n")
    subprocess.run([*command, main], check=True)
    return program


def build(folder, name, table=5000, large=600, extra="", flags=("-O2", "-g")):
    source, program = folder / f"{name}.cpp", folder / name
    source.write_text(PROGRAM)
    defined = [f"-DTABLE_BYTES={table}", f"-DLARGE_BYTES={large}", f"-DEXTRA={extra}"]
    subprocess.run([*CXX, "-std=c++23", "-fno-exceptions", "-fno-rtti", *flags, *defined, source,
                    "-o", program], check=True)
    return program


def budget(*arguments):
    return subprocess.run([ROOT / "tools/budget", *arguments], capture_output=True, text=True)


def as_json(*arguments):
    done = budget(*arguments, "--json")
    return json.loads(done.stdout) if done.stdout else done.stderr


# A runtime as its record tells it: limits, then what follows from them.
LIMITS = dict(tasks=16, operations=32, descriptors=8, multishot_buffers=8,
              frames=[128, 16, 512, 4] + [0] * 12,
              inline_awaits=128, bounded_workers=2, unbounded_workers=4, workers=2,
              worker_stack_bytes=65536, worker_jobs=64, posts=4, post_bytes=48,
              stop_limit_ms=10000, await_tree_signal=10, lock_memory=0)
DERIVED = dict(internal_operations=4, submissions=72, completions=80, runtime_bytes=140000,
               task_block_bytes=68, post_slot_bytes=56, worker_stack_room=65536,
               frame_bytes_max=8192)


def limits_record(**changed):
    words = []
    for name, value in (LIMITS | DERIVED | changed).items():
        words += value if name == "frames" else [value]
    return struct.pack(f"<{2 + len(words)}I", 1, len(words), *words)


def run_report(**changed):
    """A line of RINGLET_REPORT, of a run with LIMITS."""
    def mark(limit, most):
        return {"limit": limit, "max": most}

    report = {"ringlet_report": 1, "architecture": "armv7", "tasks": mark(16, 9),
              "operations": mark(32, 2), "descriptors": mark(8, 0),
              "multishot_buffers": mark(8, 0), "worker_jobs": mark(64, 3),
              "posts": mark(4, 4), "timers": {"max": 5}, "frame_bytes": mark(4096, 1500),
              "frames": [
                  {"bytes": 128, "count": 16, "live_max": 10, "largest": 92, "refused": 0},
                  {"bytes": 512, "count": 4, "live_max": 0, "largest": 0, "refused": 0}],
              "oversized_frames": 0, "stack_bytes": {"seen": 262144, "max": 3000},
              "worker_stack_bytes": mark(65536, 40000), "completions_overflowed": False}
    return json.dumps(report | changed)


def arm_program(symbol="_ZN4demo6readerEv", record=struct.pack("<II", 0x1001, 312), limits=None):
    """A 32-bit ELF with a Thumb function and its record: (type, flags, address, content)."""
    strings = f"\0{symbol}\0".encode()
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, 0x1001, 32, 2, 0, 1)
    sections = {"": (0, 0, 0, b""), ".text": (1, 6, 0x1000, bytes(64)),
                ".ringlet.frames": (1, 0x80, 0, record), ".symtab": (2, 0, 0, symbols),
                ".strtab": (3, 0, 0, strings)}
    if limits is not None:
        sections[".ringlet.limits"] = (1, 0x80, 0, limits)
    names = "\0".join([*sections, ".shstrtab", ""]).encode()
    sections[".shstrtab"] = (3, 0, 0, names)
    content, headers = bytes(52), b""
    for name, (kind, flags, address, data) in sections.items():
        headers += struct.pack("<10I", names.index(name.encode() + b"\0"), kind, flags, address,
                               len(content), len(data), 4 if kind == 2 else 0, 0, 1, 0)
        content += data
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x1000, 0, len(content), 0, 52, 0, 0,
                                 40, len(sections), len(sections) - 1)
    return header + content[52:] + headers


class Budget(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.program = build(cls.folder, "program")
        cls.found = as_json(cls.program)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def stripped(self, *options):
        path = self.folder / "stripped"
        subprocess.run(["strip", *options, "-o", path, self.program], check=True)
        return path

    def assert_totals_are_those_of_size(self, found):
        printed = subprocess.run(["size", found["program"]], capture_output=True, text=True,
                                 check=True).stdout.splitlines()[1].split()
        text, data, bss = map(int, printed[:3])
        self.assertEqual(found["code"]["bytes"], text)
        self.assertEqual(found["static"]["bytes"], data + bss)
        for kind in ["code", "static"]:
            self.assertEqual(sum(found[kind]["parts"].values()), found[kind]["bytes"])

    def assert_cannot(self, part, *arguments):
        done = budget(*arguments)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertRegex(done.stderr, rf"\Atools/budget: .*{part}.*\n\Z")

    def test_each_coroutine_has_its_frame(self):
        by_name = self.found["frames"]
        fits = [name for start in ["demo::large()", "inlined<int>(int)", "inlined<long>(long)"]
                for name in by_name if start in name]
        lambdas = [name for name in by_name if "operator()(int) const" in name]
        self.assertEqual(len(fits), 3, by_name)
        self.assertEqual(len(lambdas), 2, by_name)
        self.assertTrue(all(name.startswith("demo::start()") for name in lambdas), by_name)
        self.assertEqual(len(by_name), 5, by_name)  # inlined<int> is started at two places
        allocated = subprocess.run([self.program], capture_output=True, text=True, check=True)
        self.assertLessEqual(set(map(int, allocated.stdout.split())), set(by_name.values()))
        self.assertEqual(list(by_name.values()), sorted(by_name.values(), reverse=True))
        self.assertIn("demo::large()", list(by_name)[0])

    def test_coroutines_of_one_name_in_two_files_are_two(self):
        folder = self.folder.name
        found = as_json(build_namesakes(self.folder, first=100, second=900))["frames"]
        self.assertEqual(list(found), [f"demo::work() ({folder}/second.cpp)",
                                       f"demo::work() ({folder}/first.cpp)"])
        second, first = found.values()
        self.assertTrue(100 <= first < 900 <= second, found)

    def test_text_has_a_line_for_each(self):
        lines = budget(self.program).stdout.splitlines()
        for name, size in self.found["frames"].items():
            self.assertEqual(lines.count(f"{size:11,}  {name}"), 1)
        self.assertIn(f"static storage: {self.found['static']['bytes']:,} bytes", lines)
        self.assertIn(f"code: {self.found['code']['bytes']:,} bytes", lines)

    def test_totals_are_those_of_size(self):
        self.assert_totals_are_those_of_size(self.found)
        self.assert_totals_are_those_of_size(as_json(self.stripped()))

    def test_static_storage_is_told_by_owner(self):
        of = self.found["static"]["parts"]
        self.assertGreaterEqual(of["ringlet log"], 4096)
        self.assertGreaterEqual(of["demo"], 5000 + 2048)
        self.assertEqual(of["Runtime"], 3000)
        objects = self.found["static"]["objects"]
        self.assertEqual(objects["demo"], {"demo::table": 5000, "demo::scratch": 2048})
        self.assertEqual(objects["Runtime"], {"demo::runtime": 3000})
        self.assertIn("demo", self.found["code"]["parts"])

    def test_what_is_missing_is_said(self):
        plain = as_json(build(self.folder, "plain", flags=["-O0"]))
        self.assertIsNone(plain["frames"])
        self.assertIn("no section .ringlet.frames", plain["notes"][0])
        sizes = sorted(self.found["frames"].values())
        without_debug = as_json(self.stripped("-g"))
        self.assertIn("no debug information", without_debug["notes"][0])
        self.assertIn("demo::large()", without_debug["frames"])
        self.assertLessEqual(set(without_debug["frames"].values()), set(sizes))
        nameless = as_json(self.stripped())
        self.assertIn("stripped", nameless["notes"][0])
        self.assertEqual(set(nameless["frames"].values()), set(sizes))
        self.assertTrue(all(name.startswith("0x") for name in nameless["frames"]))

    def test_over_the_budget_is_status_1_and_says_by_how_much(self):
        # The board that is this machine is an x86 one.
        if self.found["architecture"] != "x86_64":
            self.skipTest("no board of this architecture")
        within = budget(self.program, "--board", "host")
        self.assertEqual(within.returncode, 0, within.stderr)
        self.assertIn("budget of host", within.stdout)
        self.assertNotIn("over budget", within.stdout)

        large = build(self.folder, "large", table=9 << 20, large=5000)
        over = budget(large, "--board", "host")
        self.assertEqual(over.returncode, 1)
        found = as_json(large, "--board", "host")
        static, frame = found["static"]["bytes"], max(found["frames"].values())
        self.assertIn(f"over budget: static storage, by {static - (8 << 20):,} bytes", over.stdout)
        self.assertIn(f"over budget: largest frame, by {frame - 4096:,} bytes", over.stdout)
        self.assertEqual(list(found["budget"]["over"]), ["static storage", "largest frame"])

        # Of two, the new one counts.
        self.assertEqual(budget(self.program, large, "--board", "host").returncode, 1)
        self.assertEqual(budget(large, self.program, "--board", "host").returncode, 0)

    def test_two_programs_are_compared(self):
        new = build(self.folder, "new", table=6000, large=700, extra="use(inlined('c'));")
        found = as_json(self.program, new)
        changed = found["frames"]
        large = next(each for name, each in changed.items() if "demo::large()" in name)
        added = next(each for name, each in changed.items() if "inlined<char>" in name)
        self.assertEqual(len(changed), 2, changed)
        self.assertGreaterEqual(large["new"] - large["old"], 96)
        self.assertIsNone(added["old"])
        demo = found["static"]["parts"]["demo"]
        self.assertEqual(demo["new"] - demo["old"], 1000)
        self.assertGreater(found["code"]["new"], found["code"]["old"])
        self.assertIn("     +1,000  ", budget(self.program, new).stdout)
        same = budget(self.program, self.program).stdout
        for title in ["coroutine frames", "static storage", "code"]:
            self.assertIn(f"{title}: no change", same)

    def test_limits_tell_what_they_take(self):
        # The same twice, as from two objects; and a buffer pool.
        record = limits_record()
        pool = struct.pack("<5I", 2, 3, 16, 2048, 36864)
        program = self.file("arm", arm_program(limits=record + pool + record))
        found = as_json(program)
        self.assertEqual(len(found["limits"]), 1)
        made = found["limits"][0]
        self.assertEqual({name: made[name] for name in LIMITS if name != "frames"},
                         {name: value for name, value in LIMITS.items() if name != "frames"})
        self.assertEqual(made["frames"], [[128, 16], [512, 4]])
        each = {row["bound"]: (row["value"], row["each"], row["bytes"]) for row in made["costs"]}
        self.assertEqual(each["tasks"], (16, 68, 16 * 68))
        self.assertEqual(each["frames of 512"], (4, 512, 2048))
        self.assertEqual(each["descriptors"], (8, 16, 128))
        self.assertEqual(each["posts"], (4, 56, 224))
        self.assertEqual(each["workers"], (2, 65536 + 8192, 2 * 73728))
        # 128 SQEs of 64 bytes; 320 + 128 * 16 + 128 * 4 bytes, in a page; 36 requests; stacks.
        self.assertEqual(found["kernel"]["parts"], {
            "submission queue": 8192, "rings": 4096, "requests in flight": 36 * 256,
            "stacks of io-wq, when it is needed": 6 * 8192,
            "kernel's stacks of worker threads": 2 * 8192})
        self.assertEqual(found["kernel"]["bytes"], sum(found["kernel"]["parts"].values()))
        self.assertEqual(found["total"], sum(found[kind]["bytes"]
                                             for kind in ["static", "kernel", "code"]))
        self.assertEqual(found["buffer_pools"],
                         [{"count": 16, "bytes": 2048, "object_bytes": 36864}])
        text = budget(program).stdout
        self.assertIn("limits of a Runtime of 140,000 bytes", text)
        self.assertIn("     36,864  16 x 2,048\n", text)

    def test_of_several_runtimes_the_larger_run_counts(self):
        large = limits_record(submissions=4096, completions=8200)
        found = as_json(self.file("arm", arm_program(limits=limits_record() + large)))
        self.assertEqual(len(found["limits"]), 2)
        self.assertEqual(found["kernel"]["parts"]["submission queue"], 4096 * 64)
        # 320 + 16384 * 16 + 4096 * 4 bytes are 69 pages; the kernel takes 128.
        self.assertEqual(found["kernel"]["parts"]["rings"], 128 * 4096)

    def test_the_total_has_a_bound(self):
        program = self.file("arm", arm_program(limits=limits_record(operations=1 << 20)))
        over = budget(program, "--board", "qemu-armv7")
        self.assertEqual(over.returncode, 1)
        by = as_json(program)["total"] - (16 << 20)
        self.assertIn(f"over budget: total, by {by:,} bytes\n", over.stdout)

    def observed(self, *reports, **limits):
        program = self.file("arm", arm_program(limits=limits_record(**limits)))
        seen = self.folder / "report.jsonl"
        seen.write_text("".join(f"{report}\n" for report in reports))
        return budget(program, "--observed", seen), as_json(program, "--observed", seen)

    def test_what_runs_used_stands_beside_the_limits(self):
        busy = json.loads(run_report())["frames"]
        busy[1] |= {"live_max": 1, "largest": 300}
        done, found = self.observed(run_report(), run_report(frames=busy, tasks={"limit": 16,
                                                                                 "max": 4}))
        self.assertEqual(len(found["observed"]), 1)
        seen = found["observed"][0]
        self.assertEqual(seen["runs"], 2)
        self.assertEqual(seen["marks"], {"tasks": 9, "operations": 2, "descriptors": 0,
                                         "multishot_buffers": 0, "worker_jobs": 3, "posts": 4})
        self.assertEqual([each["live_max"] for each in seen["frames"]], [10, 1])
        self.assertEqual(seen["reached"], ["posts"])
        self.assertEqual(found["total"], 3000 + sum(found[kind]["bytes"]
                                                    for kind in ["static", "kernel", "code"]))
        self.assertIn("observed in 2 runs\n", done.stdout)
        self.assertIn("          9        16        12  tasks\n", done.stdout)
        self.assertIn("         10        16        13  frames of 128, the largest 92\n",
                      done.stdout)
        self.assertIn("limit reached, it may be too small: posts\n", done.stdout)

    def test_tighter_limits_are_proposed_for_what_was_seen_and_a_margin(self):
        done, found = self.observed(run_report(), frames=[128, 16, 512, 4] + [0] * 12)
        # The program's only coroutine has 312 bytes and was not met: it has a class all the same.
        self.assertIn("""proposed, with 25 % more than was observed, and at least 1
constexpr ringlet::Limits limits{
    .tasks = 12,
    .operations = 3,
    .descriptors = 1,
    .multishot_buffers = 1,
    .frames = {{96, 13}, {320, 1}},
    .workers = 2,
    .worker_stack_bytes = 53248,
    .worker_jobs = 4,
    .posts = 4,
};
""", done.stdout)
        self.assertEqual(found["observed"][0]["proposed"]["frames"], [[96, 13], [320, 1]])
        self.assertEqual(found["observed"][0]["frame_bytes_proposed"], 96 * 13 + 320)

    def test_a_proposal_keeps_what_it_does_not_tighten(self):
        done, found = self.observed(run_report(), inline_awaits=7, lock_memory=1, bounded_workers=1,
                                    frame_bytes_max=400)
        for line in [".inline_awaits = 7", ".bounded_workers = 1", ".lock_memory = true"]:
            self.assertIn(f"    {line},\n", done.stdout)
        self.assertNotIn("unbounded", done.stdout.partition("constexpr")[2])
        # A lowered frame_bytes_max asks for a class of its size.
        self.assertEqual(found["observed"][0]["proposed"]["frames"], [[96, 13], [400, 1]])

    def test_full_classes_are_told(self):
        frames_of_run = json.loads(run_report())["frames"]
        frames_of_run[1] |= {"live_max": 4, "largest": 500, "refused": 3}
        _, found = self.observed(run_report(frames=frames_of_run, oversized_frames=1))
        self.assertEqual(found["observed"][0]["reached"],
                         ["posts", "frames of 512", "size of the largest frame class"])
        self.assertEqual(found["observed"][0]["proposed"]["frames"], [[96, 13], [512, 4]])

    def test_reports_of_something_else_are_refused(self):
        for report, words in {
            run_report(architecture="aarch64"): "a run on aarch64, but .* is for armv7",
            run_report(tasks={"limit": 17, "max": 1}): "no run with the limits of",
            run_report(ringlet_report=2): "line 1 is of another version",
            "{}": "line 1 is no report",
            "[": "line 1 is no report",
            "7": "line 1 is no report",
        }.items():
            done, _ = self.observed(report)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertRegex(done.stderr, rf"\Atools/budget: .*{words}.*\n\Z")
        self.assertIn("no report in it", self.observed()[0].stderr)
        self.assert_cannot("No such file", self.program, "--observed", self.folder / "nothing")
        self.assertEqual(budget(self.program, self.program, "--observed", "x").returncode, 2)

    def test_defaults_are_those_of_the_header(self):
        header = (ROOT / "runtime/ringlet/task/limits.hpp").read_text()
        for name, value in observed.DEFAULTS.items():
            told = re.search(rf"^    (?:unsigned|int|bool) {name} = ([\w']+);", header, re.M)[1]
            told = {"false": "0", "true": "1"}.get(told, told).replace("'", "")
            self.assertEqual((name, int(told)), (name, value))

    def test_changed_limits_are_a_change_of_kernel_memory(self):
        old = self.file("old", arm_program(limits=limits_record()))
        new = self.file("new", arm_program(limits=limits_record(workers=3)))
        changed = as_json(old, new)["kernel"]
        self.assertEqual(changed["new"] - changed["old"], 8192)
        self.assertEqual(list(changed["parts"]), ["kernel's stacks of worker threads"])

    def test_arm_programs_are_read(self):
        program = self.file("arm", arm_program())
        found = as_json(program)
        self.assertEqual(found["architecture"], "armv7")
        self.assertEqual(found["frames"], {"demo::reader()": 312})
        self.assertEqual(found["code"], {"bytes": 64, "parts": {"demo": 32, "other": 32}})
        self.assertEqual(budget(program, "--board", "qemu-armv7").returncode, 0)
        self.assert_cannot("for armv7, but the board qemu-aarch64 is aarch64", program, "--board",
                           "qemu-aarch64")
        self.assert_cannot("is for armv7", program, self.program)

    def test_what_cannot_be_read_is_status_2_and_one_line(self):
        self.assert_cannot("nothing: No such file", self.folder / "nothing")
        self.assert_cannot("Is a directory", self.folder)
        self.assert_cannot("not an ELF file", ROOT / "README.md")
        self.assert_cannot("no such board: toaster; there are", self.program, "--board", "toaster")
        self.assert_cannot("frames is damaged", self.file("odd", arm_program(record=bytes(9))))
        record = limits_record()
        for damaged in [record[:-1], record[:-4], record[:4]]:
            self.assert_cannot("limits is damaged",
                               self.file("odd", arm_program(limits=damaged)))
        self.assert_cannot("of another version",
                           self.file("odd", arm_program(limits=struct.pack("<3I", 1, 1, 7))))
        image = self.program.read_bytes()
        self.assert_cannot("truncated", self.file("half", image[:len(image) // 2]))
        self.assert_cannot("an object file", self.file("object", image[:16] + b"\1" + image[17:]))
        self.assert_cannot("neither x86_64", self.file("mips", image[:18] + b"\x08" + image[19:]))
        self.assertEqual(budget().returncode, 2)

    def test_a_program_cut_or_changed_anywhere_is_no_trap(self):
        image = arm_program(limits=limits_record())
        for length in range(len(image)):
            with self.assertRaises(elf.Unreadable):
                elf.Elf(self.file("cut", image[:length]))
        for place in range(len(image)):
            changed = image[:place] + bytes([image[place] ^ 0xff]) + image[place + 1:]
            try:
                program = elf.Elf(self.file("changed", changed))
                program.frame_records()
                program.build_records()
            except elf.Unreadable:
                pass


class Owners(unittest.TestCase):
    def test_namespaces_and_layers_are_parts(self):
        for mangled, part in {
            "_ZN7ringlet4http6Client4sendENS0_7RequestE": "ringlet http",
            "_ZN7ringlet3log12_GLOBAL__N_14ringE": "ringlet log",
            "_ZN7ringlet9TaskGroup6cancelEv": "ringlet flow",
            "_ZTVN7ringlet12KernelSystemE": "ringlet ring",
            "_ZNK7ringlet4File4sizeEv": "ringlet io",
            "_ZN7ringlet15default_runtimeE": "Runtime",
            "_ZN12_GLOBAL__N_17runtimeE": "Runtime",
            "_ZZN5fetch3runEvE5count": "fetch",
            "_ZN5fetch12_GLOBAL__N_17storageE": "fetch",
            "_ZL5table": "the program",
            "main": "the program",
            "_ZNSt6thread4joinEv": "C++ library",
            "_ZSt4sortIPiEvT_S1_": "C++ library",
            "_Znwm": "C++ library",
            "__io_uring_queue_init_params": "liburing",
            "llhttp__internal__run": "llhttp",
            "cJSON_Parse": "cJSON",
            "_start": None,
        }.items():
            with self.subTest(mangled):
                self.assertEqual(parts.owner(mangled), part)

    def test_long_names_are_shortened(self):
        self.assertEqual(frames.shortened(
            "f(std::basic_string_view<char, std::char_traits<char> >,"
            " std::span<char, 18446744073709551615ul>) [clone .actor]"),
            "f(std::string_view, std::span<char>)")
        for name, short in {"ringlet::Task<a<int> > demo::f<int>(int)": "demo::f<int>(int)",
                            "demo::f<a, b>(int) const": "demo::f<a, b>(int) const",
                            "inlined into a<int> f<int>()": "inlined into f<int>()",
                            "0x1234": "0x1234"}.items():
            self.assertEqual(frames.without_result(name), short)


if __name__ == "__main__":
    for needed in ["addr2line", "c++filt", "size", "strip"]:
        if shutil.which(needed) is None:
            print(f"skipped: there is no {needed}; tools/setup --tests installs binutils")
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)
