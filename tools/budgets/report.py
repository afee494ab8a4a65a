"""What a program takes, against what its board allows, and against another program; as a
dictionary, which is also what --json writes, and as text."""

import pathlib

from budgets import elf, frames, limits, observed, parts
from boards.board import Board

NO_RECORDS = "no section .ringlet.frames: only an optimised build of Ringlet records its frames"
NO_LIMITS = "no section .ringlet.limits: no Runtime of this program is run"
NO_NAMES = "stripped: nothing can be told by name"
NO_DEBUG = "no debug information: a coroutine whose start was inlined has no name of its own"
KINDS = {"static": "static storage", "kernel": "kernel memory", "code": "code"}


def measure(path: pathlib.Path, reports: pathlib.Path | None = None) -> dict:
    """Of a program; and of its runs, if there are reports of them."""
    program = elf.Elf(path)
    found = {"program": str(path), "architecture": program.machine,
             "frames": frames.frames(program), "notes": []}
    if found["frames"] is None:
        found["notes"].append(NO_RECORDS)
    if elf.UNSTRIPPED not in program.by_name:
        found["notes"].append(NO_NAMES)
    elif found["frames"] and elf.DEBUG not in program.by_name:
        found["notes"].append(NO_DEBUG)
    for kind, wanted in {"static": lambda section: section.is_static,
                         "code": lambda section: section.is_text}.items():
        by_part = parts.parts(program, wanted)
        found[kind] = {"bytes": sum(part.bytes for part in by_part.values()),
                       "parts": {name: part.bytes for name, part in by_part.items()}}
        if kind == "static":
            found[kind]["objects"] = {name: part.objects for name, part in by_part.items()
                                      if part.objects}
    add_limits(found, program)
    found["total"] = sum(found[kind]["bytes"] for kind in KINDS)
    if reports is not None:
        found["observed"] = observed.observe(reports, program, found["frames"])
        found["total"] += max(each["stack_bytes"] for each in found["observed"])
    return found


def add_limits(found: dict, program: elf.Elf) -> None:
    """The limits, and of the kernel's memory that of the run that takes most: there is one run at
    a time."""
    read = limits.read(program)
    if read is None:
        found["notes"].append(NO_LIMITS)
    runtimes, pools = read or ([], [])
    found["limits"] = [{**made.limits, "frames": made.frames,
                        "runtime_bytes": made.derived["runtime_bytes"],
                        "costs": limits.costs(made, program.machine)} for made in runtimes]
    found["buffer_pools"] = [{"count": pool.count, "bytes": pool.bytes,
                              "object_bytes": pool.object_bytes} for pool in pools]
    by_run = [limits.kernel(made, program.machine) for made in runtimes]
    of_kernel = max(by_run, key=lambda each: sum(each.values()), default={})
    found["kernel"] = {"bytes": sum(of_kernel.values()), "parts": of_kernel}


def check(found: dict, board: Board) -> dict:
    """What the board's budget allows, and what of it is exceeded."""
    if board.architecture_name != found["architecture"]:
        raise elf.Unreadable(f"{found['program']}: for {found['architecture']}, but the board"
                             f" {board.name} is {board.architecture_name}")
    largest = max(found["frames"].values(), default=0) if found["frames"] is not None else None
    lines = {
        "static storage": (found["static"]["bytes"], board.budget["static_kib"] * 1024),
        "code": (found["code"]["bytes"], board.budget["code_kib"] * 1024),
        "largest frame": (largest, board.budget["frame_bytes"]),
        "total": (found["total"], board.budget["total_kib"] * 1024),
    }
    return {"board": board.name,
            "lines": {name: {"bytes": size, "allowed": allowed}
                      for name, (size, allowed) in lines.items()},
            "over": {name: size - allowed for name, (size, allowed) in lines.items()
                     if size is not None and size > allowed}}


def changes(old: dict[str, int], new: dict[str, int]) -> dict[str, dict]:
    """What differs: null where there was or is none. What changed most comes first."""
    names = [name for name in old | new if old.get(name) != new.get(name)]
    names.sort(key=lambda name: (-abs(new.get(name, 0) - old.get(name, 0)), name))
    return {name: {"old": old.get(name), "new": new.get(name)} for name in names}


def compare(old: dict, new: dict) -> dict:
    if old["architecture"] != new["architecture"]:
        raise elf.Unreadable(f"{old['program']} is for {old['architecture']}, {new['program']} for"
                             f" {new['architecture']}")
    notes = [f"{each['program']}: {note}" for each in (old, new) for note in each["notes"]]
    found = {"old": old["program"], "new": new["program"], "notes": notes, "frames": None}
    if old["frames"] is not None and new["frames"] is not None:
        found["frames"] = changes(old["frames"], new["frames"])
    for kind in KINDS:
        found[kind] = {"old": old[kind]["bytes"], "new": new[kind]["bytes"],
                       "parts": changes(old[kind]["parts"], new[kind]["parts"])}
    return found


def as_text(found: dict) -> list[str]:
    lines = [f"{found['program']}: {found['architecture']}", *found["notes"]]
    if found["frames"] is not None:
        lines += ["", f"coroutine frames: {len(found['frames'])}"]
        lines += [f"{size:11,}  {name}" for name, size in found["frames"].items()]
    for each in found["limits"]:
        lines += limits_as_text(each)
    if found["buffer_pools"]:
        lines += ["", "buffer pools, in static storage"]
        lines += [f"{each['object_bytes']:11,}  {each['count']} x {each['bytes']:,}"
                  for each in found["buffer_pools"]]
    for kind, title in KINDS.items():
        lines += ["", f"{title}: {found[kind]['bytes']:,} bytes"]
        for part, size in found[kind]["parts"].items():
            lines.append(f"{size:11,}  {part}")
            lines += [f"{bytes_:15,}  {name}" for name, bytes_ in
                      found[kind].get("objects", {}).get(part, {}).items()]
    for each in found.get("observed", []):
        lines += observed.as_text(each)
    stack = "with the loop's stack" if "observed" in found else "besides the main thread's stack"
    return [*lines, "", f"total: {found['total']:,} bytes, {stack}"]


def limits_as_text(found: dict) -> list[str]:
    lines = ["", f"limits of a Runtime of {found['runtime_bytes']:,} bytes",
             f"{'bytes':>11} {'each':>9} {'value':>9}  bound"]
    return lines + [f"{row['bytes']:11,} {row['each']:9,} {row['value']:9,}  {row['bound']}:"
                    f" {row['where']}" for row in found["costs"]]


def changes_as_text(found: dict) -> list[str]:
    def line(name: str, old: int | None, new: int | None) -> str:
        was, is_ = ("-" if size is None else f"{size:,}" for size in (old, new))
        return f"{(new or 0) - (old or 0):+11,}  {was:>11} {is_:>11}  {name}"

    lines = [f"{found['old']} -> {found['new']}", *found["notes"]]
    for title, changed in [("coroutine frames", found["frames"]),
                           *((title, found[kind]["parts"]) for kind, title in KINDS.items())]:
        if changed is None:
            continue
        lines += ["", title if changed else f"{title}: no change"]
        lines += [line(name, each["old"], each["new"]) for name, each in changed.items()]
        kind = next((kind for kind in KINDS if KINDS[kind] == title), None)
        if kind and changed:
            lines.append(line("total", found[kind]["old"], found[kind]["new"]))
    return lines


def budget_as_text(budget: dict) -> list[str]:
    lines = ["", f"budget of {budget['board']}"]
    for name, each in budget["lines"].items():
        size = "not known" if each["bytes"] is None else f"{each['bytes']:,}"
        lines.append(f"{size:>11}  of {each['allowed']:,} bytes: {name}")
    lines += [f"over budget: {name}, by {size:,} bytes" for name, size in budget["over"].items()]
    return lines
