// FileTree: the simulated files. A fixed number of nodes, a fixed size a file, a limit for all.
//
// A path is first walked to a Place: the folder that holds the name, and what stands there. Then
// one function for each system call says what it makes of that place. There are no links.
//
// The tree is what the program sees, the page cache; what of it would outlive a power cut, the Disk
// keeps account of.
#pragma once

#include <ringlet/testing/disk.hpp>
#include <ringlet/testing/file_node.hpp>
#include <ringlet/testing/virtual_clock.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <vector>

struct statx;

namespace ringlet::testing {

class FileTree {
public:
    static constexpr int root = 0;
    static constexpr int none = -1;

    FileTree(const VirtualClock& clock, unsigned nodes, std::size_t file_bytes,
             std::size_t disk_bytes, unsigned unsynced_changes);

    // The system calls: a node or 0, or a negative errno. `from` is the folder that a relative
    // path starts in. open() gives a node that is held, for release().
    int open(int from, const char* path, int flags, mode_t mode);
    int make_folder(int from, const char* path, mode_t mode);
    int make_socket(int from, const char* path);  // as open()
    int make_device(const char* path);            // as open(); a character device
    int rename(int old_from, const char* old_path, int from, const char* path, unsigned flags);
    int unlink(int from, const char* path, int flags);
    int find(int from, const char* path) const;

    // What open files do. `at` is not negative.
    int read(int node, std::span<std::byte> out, std::int64_t at) const;
    int write(int node, std::span<const std::byte> in, std::int64_t at);
    void describe(int node, struct statx& out) const;
    void sync(int node, bool data_only) { disk_.sync(node, data_only); }
    void set_permissions(int node, mode_t permissions) {
        at(node).mode = (at(node).mode & S_IFMT) | (permissions & 07777);
    }
    void hold(int node) { ++at(node).holders; }
    void release(int node);
    const FileNode& operator[](int node) const { return nodes_[static_cast<std::size_t>(node)]; }

    // The power fails: the tree becomes what is left of it. Who has a file open still holds its
    // node. `seed`: the world's.
    void lose_power(const PowerLoss& loss, std::uint64_t seed);

    // For tests.
    // What stands there, its name included, is on the disk.
    void keep(int node) { disk_.keep(node); }
    void set_disk_bytes(std::size_t limit) { disk_bytes_ = limit; }
    std::size_t used_bytes() const { return used_bytes_; }
    void set_access(int node, FolderAccess access) { at(node).access = access; }

private:
    // Where a path leads. With an error, nowhere; `folder` then tells that all is well but for the
    // length of the last name, which some calls notice late.
    struct Place {
        int error = 0;
        int folder = none;       // none for "/", "." and "..", which no call may make or move
        int node = none;         // what stands there, if anything
        bool as_folder = false;  // the path ends in a slash
        std::string_view name{};
    };

    FileNode& at(int node) { return nodes_[static_cast<std::size_t>(node)]; }
    Place walk(int from, const char* path) const;
    Place step(int folder, std::string_view name) const;
    int child(int folder, std::string_view name) const;
    bool is_empty(int folder) const;
    bool is_no_folder(const Place& place) const;
    bool is_inside(int node, int folder) const;
    bool is_read_only(int folder) const;
    int may_change(const Place& place) const;
    int may_replace(int node, int target) const;
    int open_existing(const Place& place, int flags);
    int create(const Place& place, mode_t mode);
    bool is_free(int node) const;
    int take_free() const;
    void drop_name(int node);
    void free_unused(int node);
    void resize(FileNode& node, std::size_t size);
    bool place_some();
    void place(Disk::Entry& entry);
    void load_placed();

    const VirtualClock& clock_;
    std::vector<FileNode> nodes_;
    std::size_t file_bytes_;
    std::size_t disk_bytes_;
    std::size_t used_bytes_ = 0;
    Disk disk_;
};

}  // namespace ringlet::testing
