"""The tables, in Markdown; and the page that holds them."""

import pathlib
import re

from benches.results import Ratio, Results
from benches.workloads import LIMIT, Workload

BEGIN, END = "<!-- tools/bench: begin -->", "<!-- tools/bench: end -->"
BETWEEN = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.S)
OURS = "ringlet"
DETAILS = {"cpu_ns_per_op": "CPU ns", "wall_ns_per_op": "wall ns", "p50_us": "p50 µs",
           "p99_us": "p99 µs", "p999_us": "p99.9 µs"}


class NoMarkers(Exception):
    pass


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio_text(ratio: Ratio) -> str:
    return f"{ratio.middle:.2f} ({ratio.least:.2f}-{ratio.most:.2f})"


def bar_text(workload: Workload) -> str:
    if workload.bar_absolute is not None:
        return f"{workload.bar_absolute:.0f} {workload.unit}"
    return f"{workload.bar:g}" if workload.bar is not None else ""


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _has_failed(results: Results, workload: Workload, peer: str) -> bool:
    return any((each.workload, each.peer) == (workload.name, peer) for each in results.failures())


def cell(results: Results, workload: Workload, peer: str) -> str:
    if _has_failed(results, workload, peer):
        return "failed"
    value = results.median(workload.name, peer, workload.metric)
    if value is None:
        return ""
    ratio = results.ratio(workload, peer)
    if peer == LIMIT or ratio is None or workload.bar_absolute is not None:
        text = f"{number(value)} {workload.unit}"
    else:
        text = ratio_text(ratio) if peer == OURS else number(ratio.middle)
    is_over = peer == OURS and results.meets_bar(workload, peer) is False
    return f"**{text}**" if is_over else text


def ratios(results: Results, workloads: list[Workload], peers: list[str]) -> list[str]:
    """A row a workload: the limit's median, the others as ratios to it."""
    first = [name for name in (LIMIT, OURS) if name in peers]
    others = [name for name in peers if name not in first]
    rows = [[workload.name, bar_text(workload), *(cell(results, workload, peer)
                                                  for peer in [*first, *others])]
            for workload in workloads]
    return _table(["workload", "bar", *first, *others], rows)


def details(results: Results, workloads: list[Workload], peers: list[str]) -> list[str]:
    """A row a workload and peer: medians of all that was measured, and the spread of what is
    compared."""
    rows = []
    for workload in workloads:
        for peer in peers:
            found = [results.median(workload.name, peer, field) for field in DETAILS]
            if any(value is not None for value in found):
                spread = results.spread(workload.name, peer, workload.metric)
                rows.append([workload.name, peer, *(number(value) if value is not None else ""
                                                    for value in found), f"{spread:.0%}"])
    return _table(["workload", "peer", *DETAILS.values(), "spread"], rows) if rows else []


def comparison(results: Results, workloads: list[Workload], then: str) -> list[str]:
    """Ringlet now beside Ringlet then."""
    rows = []
    for workload in workloads:
        values = [results.median(workload.name, peer, workload.metric) for peer in (then, OURS)]
        ratio = results.ratio(workload, OURS, then)
        if ratio is None:
            note = "failed" if any(_has_failed(results, workload, peer) for peer in (then, OURS)) \
                else "not in both"
        elif not ratio.differs:
            note = "within the spread"
        else:
            note = "less" if ratio.most < 1 else "more"
        rows.append([workload.name, *(f"{number(value)} {workload.unit}" if value is not None else ""
                                      for value in values),
                     ratio_text(ratio) if ratio else "", note])
    return _table(["workload", then, "now", "now / then", ""], rows)


def workload_table(workloads: list[Workload]) -> list[str]:
    rows = [[each.name, each.program, each.metric, bar_text(each)] for each in workloads]
    return _table(["workload", "program", "compared by", "bar"], rows)


def failures(results: Results) -> list[str]:
    lines = []
    for each in results.failures():
        lines += [f"FAILED {each.workload} of {each.peer}, round {each.round}: {each.failure}"]
    return lines


def machine_text(machine: dict[str, object], command: str, rounds: int) -> list[str]:
    return [
        f"Made with `{command}` at revision {machine['revision']}, {machine['begin'][:10]},"
        f" {rounds} rounds, on {machine['cores']} cores of {machine['cpu']}, governor"
        f" {machine['governor']}, {machine['kernel']}, {machine['compiler']}; load average"
        f" {machine['load_at_begin']:.1f} before, {machine['load_at_end']:.1f} after."]


def check_page(page: pathlib.Path) -> str:
    """Its text, if it has the markers."""
    text = page.read_text(encoding="utf-8")
    if not BETWEEN.search(text):
        raise NoMarkers(f"{page} has not the lines {BEGIN} and {END}")
    return text


def write_page(page: pathlib.Path, lines: list[str]) -> None:
    """What stands between the markers is replaced."""
    new = "\n".join([BEGIN, *lines, END])
    page.write_text(BETWEEN.sub(lambda _: new, check_page(page)), encoding="utf-8")
