#!/usr/bin/env python3
"""Builds cJSON from its wrap, without network, as a firmware without a system libcjson would.

Skips (77) where tools/setup could not put the source archive into subprojects/packagecache.

Usage: wrap_test.py SOURCE_ROOT
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

CONSUMER_BUILD = """
project('wrap-consumer', 'c', meson_version: '>=1.0.1')
cjson = dependency('libcjson')
assert(cjson.type_name() == 'internal', 'the wrap is not what was found')
test('parses', executable('consumer', 'main.c', dependencies: cjson))
"""

CONSUMER_MAIN = r"""
#include <cjson/cJSON.h>
#include <string.h>
int main(void) {
    cJSON* root = cJSON_Parse("{\"value\": 42}");
    const int wrong = cJSON_GetObjectItem(root, "value")->valueint != 42
                      || strcmp(cJSON_Version(), "1.7.19") != 0;
    cJSON_Delete(root);
    return wrong;
}
"""


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    archive = root / "subprojects/packagecache/cJSON-1.7.19.tar.gz"
    if not archive.exists():
        print("no subprojects/packagecache/cJSON-1.7.19.tar.gz; tools/setup fetches it"
              " where Debian's source packages can be reached")
        return 77
    with tempfile.TemporaryDirectory(prefix="ringlet-wrap-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "meson.build").write_text(CONSUMER_BUILD)
        (folder / "main.c").write_text(CONSUMER_MAIN)
        subprojects = folder / "subprojects"
        subprojects.mkdir()
        shutil.copy(root / "subprojects/cjson.wrap", subprojects)
        shutil.copytree(root / "subprojects/packagefiles", subprojects / "packagefiles")
        (subprojects / "packagecache").mkdir()
        shutil.copy(archive, subprojects / "packagecache")
        subprocess.run(["meson", "setup", "build", "--wrap-mode=nodownload",
                        "--force-fallback-for=libcjson"], cwd=folder, check=True)
        subprocess.run(["meson", "test", "-C", "build", "--print-errorlogs"], cwd=folder,
                       check=True)
    return 0


sys.exit(main())
