// FileStatus: what the kernel knows about a file.
#pragma once

#include <ringlet/task/task.hpp>

#include <cstdint>

namespace ringlet {

enum class FileKind : std::uint8_t {
    regular,
    folder,
    symbolic_link,
    pipe,
    socket,
    character_device,
    block_device,
    other,
};

struct FileStatus {
    FileKind kind = FileKind::other;
    unsigned permissions = 0;  // 07777: read, write, execute, and the special bits
    std::uint64_t bytes = 0;   // its size
    std::uint64_t links = 0;
    // Clock::realtime, nanoseconds since 1970; 0 where the file system keeps none.
    Instant modified = 0;  // its contents
    Instant changed = 0;   // its contents, name, owner or permissions
    Instant accessed = 0;
};

// What statx(2) tells of `path`, seen from the folder `folder`. With AT_EMPTY_PATH and an empty
// path: of the descriptor `folder` itself. The path outlives the await.
//
// Cancellation: nothing is left behind.
Task<FileStatus> status_at(int folder, const char* path, int flags);

}  // namespace ringlet
