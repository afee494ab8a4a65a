"""The fetch app on 200 URLs, of which some are slow, broken, moved or missing."""

import collections
import pathlib
import random
import time

import peers
from common import check, run_app

# How many of each kind, and what must come of them.
KINDS = {"page": 120, "chunked": 20, "moved": 10, "slow": 20, "flaky": 10,  # good
         "missing": 10, "broken": 5, "stuck": 3}                           # bad
GOOD = {"page", "chunked", "moved", "slow", "flaky"}
REFUSED = 2  # where nobody listens
SEED = 20_260_102
CONCURRENCY = 16
PER_HOST = 8
RETRIES = 2


def check_row(row: dict, folder: pathlib.Path) -> None:
    kind = row["url"].split("/")[3]
    good = kind in GOOD
    check(("error" not in row) == good, f"a {kind} page: {row}")
    if good:
        path = folder / row["file"]
        check(path.read_bytes() == peers.page(row["url"]), f"{path} is not the page")
        check(row["status"] == 200 and row["bytes"] == peers.PAGE_BYTES, str(row))
    else:
        check("file" not in row, f"a file of a page that was not had: {row}")
    if kind in {"broken", "stuck"}:
        check(row["attempts"] == RETRIES + 1, f"{row['attempts']} attempts, not {RETRIES + 1}")
    if kind == "flaky":
        check(row["attempts"] == 2, f"{row['attempts']} attempts, not 2")


def demonstrate(folder: pathlib.Path) -> None:
    pages = folder / "pages"
    pages.mkdir()
    with peers.http_server() as port:
        urls = [f"http://127.0.0.1:{port}/{kind}/{number}"
                for kind, count in KINDS.items() for number in range(count)]
        dead = peers.dead_port()
        urls += [f"http://127.0.0.1:{dead}/refused/{number}" for number in range(REFUSED)]
        random.Random(SEED).shuffle(urls)
        listed = folder / "urls"
        listed.write_text("".join(url + "\n" for url in urls))
        began = time.monotonic()
        rows, summary, memory = run_app(
            "fetch", ["--concurrency", CONCURRENCY, "--per-host", PER_HOST, "--timeout", "1s",
                      "--retries", RETRIES, "--output", pages, "--urls-from", listed],
            folder, status=1)  # some failed
        wall = time.monotonic() - began

    check(sorted(row["url"] for row in rows) == sorted(urls), "not one row for each URL")
    for row in rows:
        check_row(row, pages)
    good = sum(KINDS[kind] for kind in GOOD)
    check((summary["ok"], summary["failed"]) == (good, len(urls) - good), str(summary))
    files = list(pages.iterdir())
    check(len(files) == good, f"{len(files)} files, not {good}")
    high_water = summary["connections"]["per_host_high_water"]
    check(0 < high_water <= PER_HOST, f"{high_water} connections to one host")

    errors = collections.Counter(row["error"] for row in rows if "error" in row)
    opened, reused = (summary["connections"][name] for name in ("opened", "reused"))
    print(f"fetch: {len(urls)} URLs: {summary['ok']} had, {summary['failed']} failed, in"
          f" {wall:.2f} s")
    for error, count in errors.most_common():
        print(f"  {count:3} x {error}")
    print(f"  connections  {opened} opened, {reused} times used again, at most {high_water} of"
          f" {PER_HOST} at once to one host")
    print(f"  files        {len(files)}, each whole; none of a page that failed")
    print(f"  peak memory  {memory / 2**20:.1f} MiB")
