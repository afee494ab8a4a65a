"""fio knows the latency of the write and that of fsync, but not of both together. What it takes to
start is not measured, as in file_read.py."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import bench  # noqa: E402
import jobs  # noqa: E402


def main() -> None:
    given = bench.arguments(path="bench.log", ops=2000)

    def append(count: int) -> tuple[dict, int]:
        pathlib.Path(given.path).unlink(missing_ok=True)
        return jobs.run(
            f"--filename={given.path}", "--rw=write", "--iodepth=1", "--fsync=1",
            "--create_on_open=1", "--fallocate=none",  # so that the file grows
            f"--size={count * bench.BLOCK}")

    first = given.ops // 10
    _, start_ns = append(first)
    job, cpu_ns = append(first + given.ops)
    wall_ns = 1e9 / job["write"]["iops"] * given.ops
    bench.print_result("append_fsync", "fio", given.ops, cpu_ns - start_ns, wall_ns)


main()
