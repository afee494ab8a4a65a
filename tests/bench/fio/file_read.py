"""fio draws its offsets from a generator of its own. What it takes to start is not measured: a
tenth of the operations run first, and their CPU time is taken from that of a tenth more."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import bench  # noqa: E402
import jobs  # noqa: E402


def main() -> None:
    given = bench.arguments(path="bench.data", direct=0, ops=200_000)

    def read(count: int) -> tuple[dict, int]:
        return jobs.run(
            f"--filename={given.path}", f"--direct={given.direct}", "--rw=randread",
            f"--iodepth={bench.READS_UNDER_WAY}",
            "--iodepth_batch_submit=8", "--iodepth_batch_complete_max=8",
            "--readonly", "--invalidate=0",  # the page cache as it is
            "--norandommap=1", f"--number_ios={count}", f"--io_size={count * bench.BLOCK}",
            "--clat_percentiles=0", "--lat_percentiles=1", "--percentile_list=50:99:99.9")

    first = given.ops // 10
    _, start_ns = read(first)
    job, cpu_ns = read(first + given.ops)
    wall_ns = 1e9 / job["read"]["iops"] * given.ops
    bench.print_result("file_read", "fio", given.ops, cpu_ns - start_ns, wall_ns,
                       jobs.latencies(job["read"]["lat_ns"]))


main()
