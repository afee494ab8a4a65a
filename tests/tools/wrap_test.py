#!/usr/bin/env python3
"""Builds a firmware that has Ringlet as a subproject, takes whatever has a wrap from
the wrap, without network, and runs it: it opens a ring, and reads JSON and an HTTP response.

Skips (77) where tools/setup could not get the wraps' source archives. Without io_uring, the
firmware is only built.

Usage: wrap_test.py SOURCE_ROOT
"""

import configparser
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

EXIT_UNAVAILABLE = 69
SKIPPED = 77

FIRMWARE_BUILD = """
project('firmware', 'cpp', meson_version: '>=1.0.1')
parts = [dependency('ringlet-http', fallback: 'ringlet'), dependency('ringlet-app')]
foreach name : [%s]
  assert(dependency(name).type_name() == 'internal', name + ' is not what the wrap provides')
endforeach
executable('firmware', 'main.cpp', dependencies: parts)
"""

FIRMWARE_MAIN = r"""
#include <ringlet/app/json.hpp>
#include <ringlet/http/response_parser.hpp>
#include <ringlet/ringlet.hpp>

using namespace ringlet;
using namespace std::chrono_literals;

static bool http_is_read() {
    constexpr std::string_view response = "HTTP/1.1 204 No Content\r\nX-Unit: mV\r\n\r\n";
    std::array<char, 64> room;
    http::ResponseParser parser;
    parser.begin(room, false);
    const auto fed = parser.feed_head(std::as_bytes(std::span(response)));
    return fed && parser.has_ended() && parser.status() == 204 && parser.header("x-unit") == "mV";
}

static bool json_is_read() {
    static JsonArena<4_KiB> json;
    const auto document = json.parse(R"({"value": 42})");
    return document && document->root().integer("value") == 42;
}

static Task<int> app() {
    co_await sleep(1ms);
    co_return http_is_read() && json_is_read() ? 0 : 1;
}

int main() {
    return run(app);
}
"""


def read_wrap(path: pathlib.Path) -> tuple[pathlib.Path, list[str]]:
    """The archive that it is built from, and the dependencies that it provides."""
    wrap = configparser.ConfigParser(interpolation=None)
    wrap.read(path)
    source = wrap["wrap-file"]
    folder = "packagecache" if "source_url" in source else "packagefiles"
    return path.parent / folder / source["source_filename"], list(wrap["provide"])


def write_firmware(root: pathlib.Path, folder: pathlib.Path, provided: list[str]) -> None:
    (folder / "meson.build").write_text(FIRMWARE_BUILD % ", ".join(map(repr, provided)))
    (folder / "main.cpp").write_text(FIRMWARE_MAIN)
    # Copies: Meson would use, or leave, unpacked wraps in the tree itself.
    ringlet = folder / "subprojects/ringlet"
    for name in ["runtime", "drivers", "subprojects/packagefiles"]:
        shutil.copytree(root / name, ringlet / name)
    for path in [root / "meson.build", root / "meson_options.txt",
                 *root.glob("subprojects/*.wrap")]:
        shutil.copy(path, ringlet / path.relative_to(root))
    # Meson has one cache, the outermost project's.
    shutil.copytree(root / "subprojects/packagecache", folder / "subprojects/packagecache")
    # A sysroot that other libraries bring may hold other versions of the wraps' headers.
    (folder / "sysroot/cjson").mkdir(parents=True)
    for header in ["liburing.h", "llhttp.h", "cjson/cJSON.h"]:
        (folder / "sysroot" / header).write_text("#error a sysroot header\n")


def main() -> int:
    root = pathlib.Path(sys.argv[1]).resolve()
    wraps = [read_wrap(path) for path in sorted(root.glob("subprojects/*.wrap"))]
    for archive, _ in wraps:
        if not archive.exists():
            print(f"no {archive.relative_to(root)}; tools/setup makes it where Debian's packages"
                  " can be reached")
            return SKIPPED
    provided = [name for _, names in wraps for name in names]
    with tempfile.TemporaryDirectory(prefix="ringlet-wrap-") as scratch:
        folder = pathlib.Path(scratch)
        write_firmware(root, folder, provided)
        # A compiler cache knows it again in the next scratch folder.
        environment = {**os.environ, "CCACHE_BASEDIR": scratch}
        subprocess.run(["meson", "setup", "build", "-Ddebug=false", "--wrap-mode=nodownload",
                        f"--force-fallback-for={','.join(['ringlet', *provided])}",
                        f"-Dcpp_args=-isystem{folder / 'sysroot'}"],
                       cwd=folder, env=environment, check=True)
        subprocess.run(["ninja", "-C", "build", "firmware"], cwd=folder, env=environment,
                       check=True)
        status = subprocess.run([folder / "build/firmware"], timeout=30).returncode
    if status == EXIT_UNAVAILABLE:
        print("built, but not run: no io_uring here")
        return SKIPPED
    print(f"the firmware's exit status is {status}")
    return 1 if status else 0


sys.exit(main())
