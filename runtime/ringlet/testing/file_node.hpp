// FileNode: one file, folder or Unix socket's name in the simulated tree.
#pragma once

#include <ringlet/base/clock.hpp>

#include <sys/stat.h>

#include <array>
#include <climits>
#include <cstddef>
#include <memory>
#include <string_view>

namespace ringlet::testing {

// What a test lets a folder refuse.
enum class FolderAccess : unsigned char {
    full,
    read_only,  // nothing in it or below it can be changed: EROFS
    denied,     // nothing in it or below it can be reached: EACCES
};

// A node dies when neither a name nor a holder is left: an unlinked file lives while it is open.
struct FileNode {
    bool in_use() const { return linked || holders != 0; }
    bool is_folder() const { return S_ISDIR(mode); }
    std::string_view text() const { return {name.data(), name_size}; }

    mode_t mode = 0;
    bool linked = false;
    unsigned holders = 0;  // open files, and sockets bound to it
    int parent = 0;
    FolderAccess access = FolderAccess::full;
    Instant modified = 0;  // realtime
    std::size_t name_size = 0;
    std::array<char, NAME_MAX> name{};
    std::size_t size = 0;
    std::unique_ptr<std::byte[]> bytes;  // of SimulationOptions::file_bytes
};

}  // namespace ringlet::testing
