// The bytes of the simulated disk: reading, writing, and giving back what nobody names any more.
#include <ringlet/testing/file_tree.hpp>

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/stat.h>
#include <utility>

namespace ringlet::testing {
namespace {

constexpr std::uint32_t block_bytes = 4096;

}  // namespace

int FileTree::read(int node, std::span<std::byte> out, std::int64_t at) const {
    const FileNode& file = (*this)[node];
    if (file.is_folder()) return out.empty() ? 0 : -EISDIR;
    const auto start = static_cast<std::size_t>(at);
    if (start >= file.size || out.empty()) return 0;
    const std::size_t count = std::min(out.size(), file.size - start);
    std::memcpy(out.data(), &file.bytes[start], count);
    return static_cast<int>(count);
}

// Writes as much as the file and the disk have room for; an error only if that is nothing.
int FileTree::write(int node, std::span<const std::byte> in, std::int64_t at) {
    FileNode& file = this->at(node);
    const auto start = static_cast<std::size_t>(at);
    if (in.empty()) return 0;
    if (start >= file_bytes_) return -EFBIG;
    const std::size_t free = disk_bytes_ - std::min(disk_bytes_, used_bytes_);
    const std::size_t end = std::min({start + in.size(), file_bytes_, file.size + free});
    if (end <= start) return -ENOSPC;
    if (end > file.size) resize(file, end);
    std::memcpy(&file.bytes[start], in.data(), end - start);
    file.modified = clock_.now(Clock::realtime);
    disk_.write(node, start, end);
    return static_cast<int>(end - start);
}

// What lies between the old end and the new one reads as zeros.
void FileTree::resize(FileNode& node, std::size_t size) {
    if (size > node.size) std::memset(&node.bytes[node.size], 0, size - node.size);
    used_bytes_ = used_bytes_ - node.size + size;
    node.size = size;
    node.modified = clock_.now(Clock::realtime);
}

void FileTree::drop_name(int node) {
    at(node).linked = false;
    free_unused(node);
}

void FileTree::release(int node) {
    RINGLET_ASSERT(at(node).holders > 0);
    --at(node).holders;
    free_unused(node);
}

void FileTree::free_unused(int node) {
    if (!at(node).in_use()) resize(at(node), 0);
}

void FileTree::describe(int node, struct statx& out) const {
    const FileNode& file = (*this)[node];
    out.stx_mask = STATX_BASIC_STATS;
    out.stx_blksize = block_bytes;
    out.stx_nlink = file.linked ? (file.is_folder() ? 2 : 1) : 0;
    out.stx_mode = static_cast<std::uint16_t>(file.mode);
    out.stx_ino = static_cast<std::uint64_t>(node) + 1;
    out.stx_size = file.size;
    out.stx_blocks = (file.size + 511) / 512;
    out.stx_mtime.tv_sec = file.modified / 1'000'000'000;
    out.stx_mtime.tv_nsec = static_cast<std::uint32_t>(file.modified % 1'000'000'000);
    out.stx_atime = out.stx_ctime = out.stx_mtime;
}

// ---- after a power cut ----

void FileTree::lose_power(const PowerLoss& loss, std::uint64_t seed) {
    disk_.cut(loss, seed);
    for (std::size_t i = 1; i < nodes_.size(); ++i) nodes_[i].linked = false;
    while (place_some()) {
    }
    load_placed();
    disk_.rebase();
}

// Those whose folders are there. What the root does not lead to, in the end, is lost.
bool FileTree::place_some() {
    bool placed = false;
    for (Disk::Entry& entry : disk_.entries()) {
        if (entry.node == none || !(*this)[entry.folder].linked) continue;
        place(entry);
        placed = true;
    }
    return placed;
}

// A file that has two names, after half a rename, becomes two.
void FileTree::place(Disk::Entry& entry) {
    int number = std::exchange(entry.node, none);
    if ((*this)[number].linked) {
        const bool is_folder = (*this)[number].is_folder();
        const int second = is_folder ? none : take_free();
        if (second == none) return;
        disk_.copy(number, second);
        number = second;
    }
    FileNode& node = at(number);
    node.linked = true;
    node.parent = entry.folder;
    node.name = entry.bytes;
    node.name_size = entry.size;
}

void FileTree::load_placed() {
    used_bytes_ = 0;
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
        FileNode& node = nodes_[i];
        node.size = 0;
        if (node.linked) disk_.load(static_cast<int>(i), node);
        used_bytes_ += node.size;
    }
}

}  // namespace ringlet::testing
