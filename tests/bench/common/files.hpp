// Files of the file workloads.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "bench.hpp"

namespace bench {

inline int open_or_exit(const char* path, int flags) {
    const int descriptor = ::open(path, flags | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        std::perror(path);
        std::exit(1);
    }
    return descriptor;
}

inline std::int64_t file_bytes(const char* path) {
    struct stat found {};
    if (::stat(path, &found) != 0 || found.st_size < Offsets::block) {
        std::fprintf(stderr, "%s: no file of at least 4 KiB\n", path);
        std::exit(1);
    }
    return found.st_size;
}

// Aligned for O_DIRECT.
struct alignas(Offsets::block) Block {
    char bytes[Offsets::block];
};

}  // namespace bench
