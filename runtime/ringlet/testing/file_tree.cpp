// The paths of the simulated disk, and the calls that change what stands where.
#include <ringlet/testing/file_tree.hpp>

#include <ringlet/base/panic.hpp>

#include <linux/fs.h>
#include <sys/param.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>

namespace ringlet::testing {

FileTree::FileTree(const VirtualClock& clock, unsigned nodes, std::size_t file_bytes,
                   std::size_t disk_bytes, unsigned unsynced_changes)
    : clock_(clock), nodes_(nodes), file_bytes_(file_bytes), disk_bytes_(disk_bytes),
      disk_(nodes_, file_bytes, unsynced_changes) {
    RINGLET_ASSERT(nodes > 0);  // the root is one
    for (FileNode& node : nodes_) {
        node.bytes = std::make_unique_for_overwrite<std::byte[]>(file_bytes);
    }
    at(root).mode = S_IFDIR | 0755;
    at(root).linked = true;
    at(root).modified = clock.now(Clock::realtime);
}

// ---- walking ----

int FileTree::child(int folder, std::string_view name) const {
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
        const FileNode& node = nodes_[i];
        if (node.linked && node.parent == folder && node.text() == name) return static_cast<int>(i);
    }
    return none;
}

bool FileTree::is_empty(int folder) const {
    return std::none_of(nodes_.begin() + 1, nodes_.end(),
                        [=](const FileNode& node) { return node.linked && node.parent == folder; });
}

bool FileTree::is_inside(int node, int folder) const {
    while (node != folder && node != root)
        node = (*this)[node].parent;
    return node == folder;
}

bool FileTree::is_read_only(int folder) const {
    while (folder != root && (*this)[folder].access != FolderAccess::read_only) {
        folder = (*this)[folder].parent;
    }
    return (*this)[folder].access == FolderAccess::read_only;
}

FileTree::Place FileTree::step(int folder, std::string_view name) const {
    const FileNode& inside = (*this)[folder];
    if (!inside.is_folder()) return {.error = -ENOTDIR};
    if (inside.access == FolderAccess::denied) return {.error = -EACCES};
    if (name.size() > NAME_MAX) return {.error = -ENAMETOOLONG, .folder = folder};
    if (name == ".") return {.node = folder, .name = name};
    if (name == "..") return {.node = inside.parent, .name = name};
    return {.folder = folder, .node = child(folder, name), .name = name};
}

FileTree::Place FileTree::walk(int from, const char* path) const {
    std::string_view rest(path, ::strnlen(path, PATH_MAX));
    if (rest.empty()) return {.error = -ENOENT};
    if (rest.size() == PATH_MAX) return {.error = -ENAMETOOLONG};
    Place place{.node = rest.front() == '/' ? root : from};
    while (!rest.empty()) {
        const std::size_t size = std::min(rest.find('/'), rest.size());
        if (size != 0) {
            if (place.node == none) return {.error = -ENOENT};
            place = step(place.node, rest.substr(0, size));
            const bool last = rest.find_first_not_of('/', size) == std::string_view::npos;
            if (place.error != 0 && !last) place.folder = none;
            if (place.error != 0) return place;
        }
        place.as_folder = size < rest.size();
        rest.remove_prefix(std::min(size + 1, rest.size()));
    }
    return place;
}

int FileTree::find(int from, const char* path) const {
    const Place place = walk(from, path);
    if (place.error != 0) return place.error;
    if (place.node == none) return -ENOENT;
    return is_no_folder(place) ? -ENOTDIR : place.node;
}

// ---- what stands where ----

// A slash at the end asks for a folder, and there is something else.
bool FileTree::is_no_folder(const Place& place) const {
    return place.as_folder && place.node != none && !(*this)[place.node].is_folder();
}

// Whether a name may be made, moved or taken away in the place's folder.
int FileTree::may_change(const Place& place) const {
    if (is_read_only(place.folder)) return -EROFS;
    return (*this)[place.folder].linked ? 0 : -ENOENT;
}

bool FileTree::is_free(int node) const {
    return node != root && !(*this)[node].in_use() && !disk_.refers_to(node);
}

int FileTree::take_free() const {
    for (int node = 0; node < static_cast<int>(nodes_.size()); ++node) {
        if (is_free(node)) return node;
    }
    return none;
}

int FileTree::create(const Place& place, mode_t mode) {
    if (const int error = may_change(place); error != 0) return error;
    int number = take_free();
    if (number == none) {  // unless some wait only for the disk to forget their names
        disk_.write_back_names();
        number = take_free();
    }
    if (number == none) return -ENOSPC;  // as a disk whose inodes are all taken
    FileNode& node = at(number);
    node.mode = mode;
    node.linked = true;
    node.parent = place.folder;
    node.access = FolderAccess::full;
    node.modified = clock_.now(Clock::realtime);
    node.name_size = place.name.copy(node.name.data(), node.name.size());
    node.size = 0;
    disk_.create(number);
    return number;
}

int FileTree::open(int from, const char* path, int flags, mode_t mode) {
    const Place place = walk(from, path);
    if (place.error != 0) return place.error;
    const bool creates = (flags & O_CREAT) != 0;
    if ((flags & O_TMPFILE) == O_TMPFILE) return -EOPNOTSUPP;
    if (creates && place.as_folder) return -EISDIR;
    int node = place.node;
    if (node != none) {
        node = open_existing(place, flags);
    } else {
        node = creates ? create(place, S_IFREG | (mode & 07777)) : -ENOENT;
    }
    if (node >= 0) hold(node);
    return node;
}

int FileTree::open_existing(const Place& place, int flags) {
    const bool creates = (flags & O_CREAT) != 0;
    const bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
    if (creates && (flags & O_EXCL) != 0) return -EEXIST;
    FileNode& node = at(place.node);
    if (node.is_folder()) return creates || changes ? -EISDIR : place.node;
    if ((flags & O_DIRECTORY) != 0 || place.as_folder) return -ENOTDIR;
    if (changes && is_read_only(place.folder)) return -EROFS;
    if (S_ISSOCK(node.mode)) return -ENXIO;
    if ((flags & O_TRUNC) != 0) {
        disk_.truncate(place.node);
        resize(node, 0);
    }
    return place.node;
}

int FileTree::make_folder(int from, const char* path, mode_t mode) {
    const Place place = walk(from, path);
    if (place.error != 0) return place.error;
    if (place.node != none) return -EEXIST;
    const int node = create(place, S_IFDIR | (mode & 01777));
    return node < 0 ? node : 0;
}

int FileTree::make_socket(int from, const char* path) {
    const Place place = walk(from, path);
    if (place.error != 0) return place.error;
    if (place.node != none) return -EADDRINUSE;
    const int node = create(place, S_IFSOCK | 0755);
    if (node >= 0) hold(node);
    return node;
}

int FileTree::make_device(const char* path) {
    const Place place = walk(root, path);
    if (place.error != 0) return place.error;
    if (place.node != none) return -EEXIST;
    const int node = create(place, S_IFCHR | 0620);
    if (node >= 0) hold(node);
    return node;
}

int FileTree::unlink(int from, const char* path, int flags) {
    const bool folder = (flags & AT_REMOVEDIR) != 0;
    if ((flags & ~AT_REMOVEDIR) != 0) return -EINVAL;
    const Place place = walk(from, path);
    if (place.error != 0) return place.error;
    if (place.folder == none) {
        if (!folder) return -EISDIR;
        if (place.name == "..") return -ENOTEMPTY;
        return place.name == "." ? -EINVAL : -EBUSY;  // the root
    }
    if (is_read_only(place.folder)) return -EROFS;
    if (place.node == none) return -ENOENT;
    if (is_no_folder(place)) return -ENOTDIR;
    if ((*this)[place.node].is_folder() != folder) return folder ? -ENOTDIR : -EISDIR;
    if (folder && !is_empty(place.node)) return -ENOTEMPTY;
    disk_.unlink(place.node);
    drop_name(place.node);
    return 0;
}

// rename(2) onto something that exists.
int FileTree::may_replace(int node, int target) const {
    const bool folder = (*this)[node].is_folder();
    if (folder && !(*this)[target].is_folder()) return -ENOTDIR;
    if (!folder && (*this)[target].is_folder()) return -EISDIR;
    return folder && !is_empty(target) ? -ENOTEMPTY : 0;
}

int FileTree::rename(int old_from, const char* old_path, int from, const char* path,
                     unsigned flags) {
    if ((flags & ~unsigned{RENAME_NOREPLACE}) != 0) return -EINVAL;
    const Place old_place = walk(old_from, old_path);
    if (old_place.error != 0 && old_place.folder == none) return old_place.error;
    const Place place = walk(from, path);
    if (place.error != 0 && place.folder == none) return place.error;
    const bool keeps = (flags & RENAME_NOREPLACE) != 0;
    if (old_place.folder == none) return -EBUSY;
    if (place.folder == none) return keeps ? -EEXIST : -EBUSY;
    if (is_read_only(old_place.folder)) return -EROFS;
    if (old_place.error != 0) return old_place.error;
    if (old_place.node == none) return -ENOENT;
    if (place.error != 0) return place.error;
    if (const int error = may_change(place); error != 0) return error;
    if (place.node != none && keeps) return -EEXIST;

    FileNode& node = at(old_place.node);
    if ((old_place.as_folder || place.as_folder) && !node.is_folder()) return -ENOTDIR;
    if (is_inside(place.folder, old_place.node)) return -EINVAL;
    if (place.node != none && is_inside(old_place.folder, place.node)) return -ENOTEMPTY;
    if (place.node == old_place.node) return 0;
    if (place.node != none) {
        if (const int error = may_replace(old_place.node, place.node); error != 0) return error;
    }
    disk_.rename(old_place.node, place.folder, place.name);
    if (place.node != none) drop_name(place.node);
    node.parent = place.folder;
    node.name_size = place.name.copy(node.name.data(), node.name.size());
    return 0;
}

}  // namespace ringlet::testing
