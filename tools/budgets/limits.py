"""The limits that a program was built with, what each takes, and what the kernel keeps for them.

The records are those of runtime/ringlet/base/build_record.hpp; the order of a runtime's words is
that of limits_words() in runtime/ringlet/run/limits_record.hpp.
"""

import dataclasses

from budgets import elf

LIMITS, BUFFER_POOL = 1, 2  # kinds of records
FRAME_CLASSES_MAX = 8
FRAME_CLASS_BYTES_MAX = 8192
BEFORE_FRAMES = ["tasks", "operations", "descriptors", "multishot_buffers"]
AFTER_FRAMES = ["inline_awaits", "bounded_workers", "unbounded_workers", "workers",
                "worker_stack_bytes", "worker_jobs", "posts", "post_bytes", "stop_limit_ms",
                "await_tree_signal", "lock_memory"]
DERIVED = ["internal_operations", "submissions", "completions", "runtime_bytes", "task_block_bytes",
           "post_slot_bytes", "worker_stack_room", "frame_bytes_max"]
WORDS = len(BEFORE_FRAMES) + 2 * FRAME_CLASSES_MAX + len(AFTER_FRAMES) + len(DERIVED)

# Of the kernel: io_uring/io_uring.c (rings_size), include/linux/io_uring_types.h (struct io_rings).
PAGE_BYTES = 4096
SQE_BYTES, CQE_BYTES, SQ_INDEX_BYTES = 64, 16, 4
RINGS_HEADER_BYTES = 320  # heads and tails on cache lines of their own; counters
CACHE_LINE_BYTES = 64
# A struct io_kiocb in its slab, rounded up: an estimate, since it differs between kernels.
REQUEST_BYTES = 256
# THREAD_SIZE: arch/x86/include/asm/page_64_types.h, arch/arm64/include/asm/memory.h,
# arch/arm/include/asm/thread_info.h.
KERNEL_STACK_BYTES = {"x86_64": 16384, "aarch64": 16384, "armv7": 8192}


@dataclasses.dataclass(frozen=True)
class Runtime:
    limits: dict[str, int]  # without the frames
    frames: list[tuple[int, int]]  # bytes and count of each class
    derived: dict[str, int]


@dataclasses.dataclass(frozen=True)
class BufferPool:
    count: int
    bytes: int
    object_bytes: int


def read(program: elf.Elf) -> tuple[list[Runtime], list[BufferPool]] | None:
    """The runtimes and buffer pools whose run or opening is in the program, each kind of Limits
    once. None if the program has no records."""
    records = program.build_records()
    if records is None:
        return None
    runtimes, pools = [], []
    for kind, words in dict.fromkeys(records):
        if kind == LIMITS and len(words) == WORDS:
            runtimes.append(runtime(words))
        elif kind == BUFFER_POOL and len(words) == 3:
            pools.append(BufferPool(*words))
        else:
            raise elf.Unreadable(f"{program.path}: .ringlet.limits is of another version of Ringlet")
    return runtimes, pools


def runtime(words: tuple[int, ...]) -> Runtime:
    classes_at = len(BEFORE_FRAMES)
    rest_at = classes_at + 2 * FRAME_CLASSES_MAX
    classes = words[classes_at:rest_at]
    limits = dict(zip(BEFORE_FRAMES + AFTER_FRAMES, words[:classes_at] + words[rest_at:]))
    derived = dict(zip(DERIVED, words[-len(DERIVED):]))
    frames = [(size, count) for size, count in zip(classes[::2], classes[1::2]) if count > 0]
    return Runtime(limits, frames, derived)


def frame_bytes(frames: list[tuple[int, int]]) -> int:
    return sum(size * count for size, count in frames)


def power_of_two(number: int) -> int:
    """The next that is not smaller."""
    return 1 << (number - 1).bit_length() if number > 1 else 1


def pages(size: int) -> int:
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def queue_bytes(entries: int) -> int:
    """The submission queue's entries."""
    return power_of_two(entries) * SQE_BYTES


def rings_bytes(submissions: int, completions: int) -> int:
    """Both rings: the heads, the CQEs, and the indexes of SQEs."""
    size = RINGS_HEADER_BYTES + power_of_two(completions) * CQE_BYTES
    size = -(-size // CACHE_LINE_BYTES) * CACHE_LINE_BYTES
    return size + power_of_two(submissions) * SQ_INDEX_BYTES


def in_pages(size: int) -> int:
    """What the kernel takes for `size` bytes in one piece: a power of two of pages."""
    return power_of_two(pages(size) // PAGE_BYTES) * PAGE_BYTES


def kernel(made: Runtime, machine: str) -> dict[str, int]:
    """What the kernel keeps for a run, at most."""
    limits, derived = made.limits, made.derived
    stack = KERNEL_STACK_BYTES[machine]
    found = {
        "submission queue": in_pages(queue_bytes(derived["submissions"])),
        "rings": in_pages(rings_bytes(derived["submissions"], derived["completions"])),
        "requests in flight": (limits["operations"] + derived["internal_operations"])
        * REQUEST_BYTES,
        "stacks of io-wq, when it is needed":
            (limits["bounded_workers"] + limits["unbounded_workers"]) * stack,
        "kernel's stacks of worker threads": limits["workers"] * stack,
    }
    return {name: size for name, size in found.items() if size > 0}


def costs(made: Runtime, machine: str) -> list[dict]:
    """Of each bound its value, the bytes of one more, and of all; where those are, in words."""
    limits, derived = made.limits, made.derived
    stack = KERNEL_STACK_BYTES[machine]
    per_operation = 2 * (SQE_BYTES + SQ_INDEX_BYTES + CQE_BYTES) + REQUEST_BYTES
    rows = [("tasks", derived["task_block_bytes"], "in frames: a block each, besides its frame"),
            ("operations", per_operation, "in the kernel, before rounding"),
            ("descriptors", CQE_BYTES, "in the kernel, before rounding"),
            ("multishot_buffers", CQE_BYTES, "in the kernel, before rounding"),
            ("bounded_workers", stack, "in the kernel, when it is needed"),
            ("unbounded_workers", stack, "in the kernel, when it is needed"),
            ("workers", derived["worker_stack_room"] + stack,
             "static, a stack; and one in the kernel"),
            ("worker_jobs", 0, "in the frames of those who wait"),
            ("posts", derived["post_slot_bytes"], "static")]
    found = [{"bound": name, "value": limits[name], "each": each, "bytes": each * limits[name],
              "where": where} for name, each, where in rows]
    classes = [{"bound": f"frames of {size:,}", "value": count, "each": size,
                "bytes": size * count, "where": "static"} for size, count in made.frames]
    return found[:len(BEFORE_FRAMES)] + classes + found[len(BEFORE_FRAMES):]
