#!/usr/bin/env python3
"""Only the seam to the kernel calls libc for I/O, time and randomness (docs: the ring): all else
goes through Ring and System, or the simulation could not stand in for the kernel.

Usage: symbols_test.py FOLDER_OF_OBJECT_FILES
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from seals.objects import plain  # noqa: E402

# The files that may: the seam itself.
SEAM = ["ring_kernel_system.", "ring_kernel_ring.", "ring_kernel_workers.", "ring_kernel_seal."]

FORBIDDEN = set("""
    open openat creat read write pread pwrite readv writev preadv pwritev close dup dup2 dup3 lseek
    socket socketpair bind listen accept accept4 connect shutdown send recv sendto recvfrom sendmsg
    recvmsg sendmmsg recvmmsg getsockopt setsockopt getsockname getpeername
    getaddrinfo getnameinfo gethostbyname
    poll ppoll select pselect epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    eventfd eventfd_read eventfd_write timerfd_create timerfd_settime signalfd inotify_init
    ioctl fcntl fsync fdatasync ftruncate truncate fallocate splice sendfile
    rename renameat renameat2 link unlink unlinkat mkdir mkdirat rmdir symlink readlink
    stat fstat lstat fstatat statx access chmod chown opendir readdir closedir remove tmpfile
    pipe pipe2 sigaction signal sigprocmask pthread_sigmask kill raise
    fork vfork posix_spawn posix_spawnp execve execv execvp waitpid waitid system popen
    mmap munmap mremap mprotect madvise mlock mlockall munlock munlockall
    clock_gettime clock_nanosleep gettimeofday time nanosleep usleep sleep getrandom getentropy
    random rand tcgetattr tcsetattr isatty syscall
    printf fprintf dprintf vprintf vfprintf vdprintf puts fputs putchar putc fputc fwrite perror
    fopen fdopen freopen fclose fread fgets fgetc getc getchar getline scanf fscanf fflush
    stdin stdout stderr
    pthread_create pthread_join pthread_detach pthread_kill thrd_create
""".split())

# C++'s ways to the same, and liburing's functions (its inline helpers only fill an SQE).
FORBIDDEN_PATTERNS = [
    r"_ZNSt6chrono3_V21[0-9]+(steady|system)_clock3nowEv",
    r"_ZNSt13random_device.*",
    r"_ZSt4(cout|cerr|clog)",
    r"_ZSt3cin",
    r"_ZNSt6thread.*",  # threads are started by Workers; a mutex, which only waits for them, is free
    r"_ZNSt.*basic_(i|o|)f(stream|ilebuf).*",
    r"_ZNSt10filesystem.*",
    r"io_uring_.*",
]

# Each of these must be caught, or the check is blind.
SELF_CHECK = r"""
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <iostream>
#include <thread>
#include <unistd.h>
int self_check(char* buffer) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    std::cout << std::chrono::steady_clock::now().time_since_epoch().count();
    std::puts("hello");
    std::printf("%s\n", buffer);
    std::fprintf(stderr, "%ld", static_cast<long>(now.tv_nsec));
    std::snprintf(buffer, 8, "%d", 1);
    std::thread(std::puts, "hello").join();
    pthread_t thread;
    pthread_create(&thread, nullptr, nullptr, nullptr);
    return static_cast<int>(::read(::open("file", O_RDONLY), buffer, 8)) + ::usleep(1);
}
"""
SELF_CHECK_EXPECTED = {
    "clock_gettime", "steady_clock", "cout", "puts", "printf", "fprintf", "stderr", "read", "open",
    "usleep", "nanosleep", "thread", "pthread_create",
}
SELF_CHECK_ALLOWED = {"snprintf"}


def forbidden(symbol: str) -> bool:
    return plain(symbol) in FORBIDDEN or any(
        re.fullmatch(pattern, symbol) for pattern in FORBIDDEN_PATTERNS
    )


def undefined(path: pathlib.Path) -> list[str]:
    output = subprocess.run(["nm", "-u", "-P", path], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in output.stdout.splitlines() if line.strip()]


def self_check() -> list[str]:
    """What the check would overlook, with plain and with fortified calls."""
    wrong = []
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "check.cpp"), pathlib.Path(folder, "check.o")
        source.write_text(SELF_CHECK)
        for flags in (["-O0"], ["-O2", "-D_FORTIFY_SOURCE=2"]):
            subprocess.run([*compiler, *flags, "-std=c++23", "-w", "-c", source, "-o", binary],
                           check=True)
            symbols = undefined(binary)
            caught = [symbol for symbol in symbols if forbidden(symbol)]
            for name in SELF_CHECK_EXPECTED:
                if not any(name in symbol for symbol in caught):
                    wrong.append(f"{' '.join(flags)}: {name} is not caught")
            for name in SELF_CHECK_ALLOWED:
                if any(plain(symbol) == name for symbol in caught):
                    wrong.append(f"{' '.join(flags)}: {name} is caught")
    return wrong


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    problems = self_check()
    objects = sorted(folder.glob("*.o"))
    if not objects:
        problems.append(f"no object files in {folder}")
    for path in objects:
        name = path.name.removeprefix("ringlet_")
        if name.startswith(tuple(SEAM)):
            continue
        for symbol in undefined(path):
            if forbidden(symbol):
                problems.append(f"{name.removesuffix('.o')}: calls {symbol}")
    print("\n".join([*problems, f"{len(objects)} objects, {len(problems)} problems"]))
    return 1 if problems else 0


sys.exit(main())
