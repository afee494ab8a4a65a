#!/usr/bin/env python3
"""tools/bench on programs that print what they are told to: what it reads, counts and writes, and
what it does about those that fail, hang or do not listen.

Usage: bench_test.py SOURCE_ROOT
"""

import contextlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "tools"))
from benches import builds, peers, processes, report, results, rounds, runs, workloads  # noqa: E402
from benches.results import Nonsense, Ratio, Results, Sample, parse  # noqa: E402
from benches.workloads import Workload  # noqa: E402

CORE = processes.cores()[0]
LINE = "name=yield peer=a ops=10 cpu_ns_per_op=2.5 wall_ns_per_op=3.0 p50_us=- p99_us=1.0 p999_us=-"
YIELD = Workload("yield_1", "yield", bar=1.5)


class Parsing(unittest.TestCase):
    def test_the_last_line_counts_and_fields_without_a_value_are_left_out(self):
        values = parse(f"name=old ops=1\nsomething\n{LINE}\n")
        self.assertEqual(values, {"ops": 10, "cpu_ns_per_op": 2.5, "wall_ns_per_op": 3, "p99_us": 1})

    def test_what_makes_no_sense_is_said(self):
        for output, words in [("", "no result"), ("hello\n", "no result"),
                              (LINE.replace("ops=10", "ops=0"), "no operations"),
                              (LINE.replace("ops=10 ", ""), "no operations"),
                              (LINE.replace("2.5", "fast"), "not a number")]:
            with self.assertRaisesRegex(Nonsense, words):
                parse(output)

    def test_what_is_compared_must_be_there_and_more_than_nothing(self):
        self.assertEqual(results.check({"bytes": 1.0}, "bytes"), {"bytes": 1.0})
        for values in ({}, {"bytes": 0.0}, {"bytes": float("inf")}, {"bytes": float("nan")}):
            with self.assertRaises(Nonsense):
                results.check(values, "bytes")


def samples(peer: str, *values: float, failure: str = "") -> list[Sample]:
    found = [Sample("yield_1", peer, number, 1, {"cpu_ns_per_op": value})
             for number, value in enumerate(values, 1)]
    return found + ([Sample("yield_1", peer, len(values) + 1, 1, {}, failure)] if failure else [])


class Statistics(unittest.TestCase):
    def test_a_ratio_is_of_medians_and_its_spread_of_rounds(self):
        found = Results(samples("limit", 10, 20, 10) + samples("ringlet", 15, 20, 12))
        self.assertEqual(found.ratio(YIELD, "ringlet"), Ratio(1.5, 1.0, 1.5))
        self.assertIsNone(found.ratio(YIELD, "absent"))

    def test_rounds_that_only_one_has_do_not_spread(self):
        found = Results(samples("limit", 10, 10) + samples("ringlet", 10, 20, 900))
        self.assertEqual(found.ratio(YIELD, "ringlet"), Ratio(2.0, 1.0, 2.0))

    def test_who_failed_once_has_no_median(self):
        found = Results(samples("limit", 10) + samples("ringlet", 12, failure="it broke"))
        self.assertIsNone(found.median("yield_1", "ringlet", "cpu_ns_per_op"))
        self.assertEqual([each.failure for each in found.failures()], ["it broke"])

    def test_the_bar_may_be_reached_and_not_passed(self):
        for value, expected in [(15, True), (15.04, True), (15.1, False)]:
            found = Results(samples("limit", 10) + samples("ringlet", value))
            self.assertEqual(found.meets_bar(YIELD, "ringlet"), expected)
        absolute = Workload("yield_1", "yield", bar_absolute=12)
        self.assertTrue(Results(samples("ringlet", 12)).meets_bar(absolute, "ringlet"))
        self.assertFalse(Results(samples("ringlet", 13)).meets_bar(absolute, "ringlet"))
        self.assertIsNone(Results(samples("ringlet", 13)).meets_bar(YIELD, "ringlet"))

    def test_a_difference_counts_if_all_rounds_agree(self):
        self.assertTrue(Ratio(1.2, 1.1, 1.3).differs)
        self.assertTrue(Ratio(0.9, 0.8, 0.95).differs)
        self.assertFalse(Ratio(1.2, 0.9, 1.3).differs)


class Tables(unittest.TestCase):
    def test_ratios_beside_the_bar_and_what_is_over_it_is_bold(self):
        found = Results(samples("limit", 10) + samples("ringlet", 20) + samples("libuv", 12) +
                        samples("asyncio", failure="no"))
        self.assertEqual(report.ratios(found, [YIELD], ["limit", "ringlet", "libuv", "asyncio"])[2],
                         "| yield_1 | 1.5 | 10.0 ns | **2.00 (2.00-2.00)** | 1.20 | failed |")

    def test_details_are_medians_with_their_spread(self):
        found = Results(samples("limit", 10, 12, 14))
        self.assertEqual(report.details(found, [YIELD], ["limit", "libuv"])[2:],
                         ["| yield_1 | limit | 12.0 |  |  |  |  | 33% |"])

    def test_without_the_limit_values_are_shown(self):
        self.assertEqual(report.ratios(Results(samples("libuv", 1234)), [YIELD], ["libuv"])[2],
                         "| yield_1 | 1.5 | 1,234 ns |")

    def test_a_comparison_says_what_the_spread_hides(self):
        then = samples("ringlet@1", 10, 10)
        for now, note in [((20, 21), "more"), ((5, 6), "less"), ((9, 11), "within the spread")]:
            row = report.comparison(Results(samples("ringlet", *now) + then), [YIELD], "ringlet@1")
            self.assertTrue(row[2].endswith(f"| {note} |"), row[2])
        self.assertIn("not in both", report.comparison(Results(then), [YIELD], "ringlet@1")[2])

    def test_of_the_page_only_what_is_between_the_markers_is_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "page.md")
            page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            report.write_page(page, ["new \\1"])
            self.assertEqual(page.read_text(),
                             f"before\n{report.BEGIN}\nnew \\1\n{report.END}\nafter\n")
            page.write_text("no markers")
            with self.assertRaises(report.NoMarkers):
                report.write_page(page, ["new"])


class Choosing(unittest.TestCase):
    def test_by_name_and_by_program(self):
        self.assertEqual([each.name for each in workloads.chosen(["echo", "yield_1"])],
                         ["yield_1", "echo_1", "echo_64", "echo_1000"])
        self.assertEqual(workloads.chosen([]), workloads.WORKLOADS)

    def test_what_they_are_compared_to_comes_with_them(self):
        self.assertEqual([each.name for each in workloads.chosen(["sleep_slack"])],
                         ["sleep_exact", "sleep_slack"])

    def test_who_is_unknown_is_named(self):
        with self.assertRaisesRegex(workloads.Unknown, "nosuch"):
            workloads.chosen(["yield", "nosuch"])
        with self.assertRaisesRegex(workloads.Unknown, "nosuch"):
            peers.chosen(["nosuch"], ROOT, ROOT)


class CheckingOut(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ringlet-bench-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        (self.root / "tests/bench/ringlet").mkdir(parents=True)
        self.program = self.root / "tests/bench/ringlet/yield.cpp"
        self.git("init", "--quiet")
        for text in ("then", "now"):
            self.program.write_text(text)
            self.git("add", ".")
            self.git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", text)

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.root, check=True)

    def then(self) -> str:
        source = builds.check_out("HEAD~1", self.root)
        return (source / "tests/bench/ringlet/yield.cpp").read_text()

    def test_it_is_made_once_and_then_goes_from_revision_to_revision(self):
        for _ in range(2):
            self.assertEqual(self.then(), "then")
        self.assertEqual(builds.check_out("HEAD", self.root), self.root / "build/bench/against/source")

    def test_work_that_is_not_committed_stays_whatever_is_left_of_an_earlier_one(self):
        self.program.write_text("precious")
        source = self.root / "build/bench/against/source"
        source.mkdir(parents=True)
        self.assertEqual(self.then(), "then")
        (source / ".git").unlink()
        self.assertEqual(self.then(), "then")
        self.assertEqual(self.program.read_text(), "precious")

    def test_it_survives_a_move_of_the_checkout(self):
        self.then()
        moved = self.root / "moved"
        moved.mkdir()
        for name in (".git", "tests", "build"):
            (self.root / name).rename(moved / name)
        self.root = moved
        self.assertEqual(self.then(), "then")

    def test_a_revision_without_benchmarks_is_told(self):
        self.git("rm", "-rq", "tests")
        self.git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "none")
        with self.assertRaisesRegex(builds.Failed, "no benchmarks"):
            builds.check_out("HEAD", self.root)


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ringlet-bench-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bench = runs.Bench(self.folder / "load", self.folder)
        self.calls = self.folder / "calls"

    def peer(self, name: str, code: str, workload: str = "yield") -> peers.Peer:
        """A script that notes its call."""
        path = self.folder / f"tests/bench/{name}/{workload}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        note = f"open({str(self.calls)!r}, 'a').write('{name} ')\n"
        path.write_text("import os, signal, sys, time\n" + note + code)
        return peers.Peer(name, f"{name}/{{}}.py", self.folder, self.folder)

    def run_all(self, *chosen: peers.Peer, workload: Workload = YIELD, **options) -> Results:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            found = Results(rounds.run(self.bench, [workload], list(chosen), 2, **options))
        self.said = said.getvalue()
        return found

    def test_peers_run_in_turn(self):
        good = f"print({LINE!r})"
        found = self.run_all(self.peer("a", good), self.peer("b", good))
        self.assertEqual(self.calls.read_text(), "a b a b ")
        self.assertEqual([(each.peer, each.round) for each in found.samples],
                         [("a", 1), ("b", 1), ("a", 2), ("b", 2)])
        self.assertIn("[4/4", self.said)

    def test_a_warm_up_is_not_counted(self):
        found = self.run_all(self.peer("a", f"print({LINE!r})"), warm_up=True)
        self.assertEqual(self.calls.read_text(), "a a a ")
        self.assertEqual(len(found.samples), 2)

    def test_who_fails_is_shown_with_its_last_lines_and_left_out(self):
        found = self.run_all(self.peer("a", "sys.exit('out of luck')"),
                             self.peer("b", f"print({LINE!r})"), self.peer("c", "print('hm')"))
        self.assertEqual(self.calls.read_text(), "a b c b ")
        told = {each.peer: each.failure for each in found.failures()}
        self.assertIn("exit status 1\nout of luck", told["a"])
        self.assertIn("no result", told["c"])
        self.assertIn("FAILED yield_1 of a, round 1", "\n".join(report.failures(found)))

    def test_who_skips_is_left_out_and_has_not_failed(self):
        found = self.run_all(self.peer("a", "print('no library')\nsys.exit(77)"))
        self.assertEqual(found.samples, [])
        self.assertIn("left out: no library", self.said)

    def test_who_has_no_such_program_is_not_run(self):
        self.assertEqual(self.run_all(self.peer("a", "", workload="mutex")).samples, [])

    def test_it_runs_on_one_core_with_its_arguments(self):
        code = f"print({LINE!r} + f' cores={{len(os.sched_getaffinity(0))}} n={{sys.argv[-1]}}')"
        workload = Workload("yield_1", "yield", arguments={"coroutines": 7})
        values = self.run_all(self.peer("a", code), workload=workload).samples[0].values
        self.assertEqual((values["cores"], values["n"]), (1, 7))

    def test_who_hangs_is_ended_with_its_children(self):
        code = (f"child = os.fork()\n"
                f"if child: open({str(self.folder / 'child')!r}, 'w').write(str(child))\n"
                f"time.sleep(60)")
        command = self.peer("a", code).command("yield")
        with self.assertRaisesRegex(processes.Failed, "did not end within"):
            processes.run(command, CORE, limit_s=1)
        child = int((self.folder / "child").read_text())
        self.assertTrue(processes.wait_until(lambda: is_gone(child)))

    def test_a_server_is_stopped_afterwards(self):
        code = "print('listening', flush=True)\ntime.sleep(60)"
        with processes.serving(self.peer("a", code).command("yield"), CORE) as server:
            self.assertIsNone(server.poll())
        self.assertEqual(server.returncode, -signal.SIGTERM)

    def test_a_server_that_does_not_listen_or_ends_early_fails(self):
        for code, words in [("print('no luck')", "does not listen; it said: no luck"),
                            ("time.sleep(60)", "does not listen"),
                            ("print('listening', flush=True)\nsys.exit('bye')",
                             "ended while it served: status 1\nbye")]:
            with self.assertRaisesRegex(processes.Failed, words):
                command = self.peer("a", code).command("yield")
                with processes.serving(command, CORE, limit_s=1) as server:
                    server.wait(10)

    def test_a_server_that_does_not_end_well_fails(self):
        for code, words in [("signal.signal(signal.SIGTERM, lambda *_: sys.exit('oh no'))",
                             "ended badly on SIGTERM: status 1\noh no"),
                            ("signal.signal(signal.SIGTERM, signal.SIG_IGN)",
                             "did not end within 5 s of SIGTERM")]:
            code += "\nprint('listening', flush=True)\ntime.sleep(60)"
            with self.assertRaisesRegex(processes.Failed, words):
                with processes.serving(self.peer("a", code).command("yield"), CORE):
                    pass

    def test_a_tool_that_fails_is_a_failure_like_any(self):
        script = self.folder / "tests/bench/a/hello"
        script.parent.mkdir(parents=True)
        script.write_text("no program at all")
        size = Workload("hello_size", "hello", workloads.SIZE, metric="bytes")
        peer = peers.Peer("a", "a/{}", self.folder, self.folder)
        self.assertIn("strip: exit status 1", self.run_all(peer, workload=size).failures()[0].failure)

    def test_an_interrupt_leaves_nothing_behind(self):
        self.peer("a", f"open({str(self.folder / 'pid')!r}, 'w').write(str(os.getpid()))\n"
                       "time.sleep(60)")
        code = (f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r})\n"
                "from benches import processes\n"
                f"processes.run([sys.executable, {str(self.folder / 'tests/bench/a/yield.py')!r}],"
                f" {CORE})")
        runner = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        pid = self.folder / "pid"
        self.assertTrue(processes.wait_until(lambda: pid.exists() and pid.read_text()))
        runner.send_signal(signal.SIGINT)
        runner.wait(10)
        self.assertTrue(processes.wait_until(lambda: is_gone(int(pid.read_text()))))

    def test_a_start_is_measured_without_its_sleep(self):
        script = self.folder / "hello"
        script.write_text("#!/bin/sh\nexec sleep 0.05\n")
        script.chmod(0o755)
        span = processes.span_s([str(script)], CORE)
        self.assertGreaterEqual(span, 0.05)
        script.write_text("#!/bin/sh\nexit 3\n")
        with self.assertRaisesRegex(processes.Failed, "exit status 3"):
            processes.span_s([str(script)], CORE)


def is_gone(process: int) -> bool:
    """Ended, though perhaps nobody has asked how."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


if __name__ == "__main__":
    unittest.main()
