// Files and folders by name: remove, rename, make.
//
// Paths belong to the caller, end with a NUL and outlive the await. Errors are the kernel's.
// (The names are longer than libc's, so that `using namespace ringlet` never makes a call of
// rename() ambiguous.)
#pragma once

#include <ringlet/io/file.hpp>

namespace ringlet {

class [[nodiscard]] RemoveOperation : public OperationOf<RemoveOperation, void> {
public:
    static constexpr const char* reason = "remove";

    RemoveOperation(const char* path, int flags) : path_(path), flags_(flags) {}
    void prepare(io_uring_sqe& sqe) const { ::io_uring_prep_unlink(&sqe, path_, flags_); }
    void value(int) const {}

private:
    const char* path_;
    int flags_;
};

class [[nodiscard]] RenameOperation : public OperationOf<RenameOperation, void> {
public:
    static constexpr const char* reason = "rename";

    RenameOperation(const char* from, const char* to) : from_(from), to_(to) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_renameat(&sqe, AT_FDCWD, from_, AT_FDCWD, to_, 0);
    }
    void value(int) const {}

private:
    const char* from_;
    const char* to_;
};

class [[nodiscard]] MakeFolderOperation : public OperationOf<MakeFolderOperation, void> {
public:
    static constexpr const char* reason = "make folder";

    MakeFolderOperation(const char* path, unsigned permissions)
        : path_(path), permissions_(permissions) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_mkdirat(&sqe, AT_FDCWD, path_, permissions_);
    }
    void value(int) const {}

private:
    const char* path_;
    unsigned permissions_;
};

// Removes the name of a file; the file itself goes with its last name and its last descriptor.
//
// Cancellation: the name may be gone or not.
// Source: unlink(2).
inline RemoveOperation remove_file(const char* path) {
    return RemoveOperation(path, 0);
}

// Removes a folder, which must be empty (directory_not_empty).
//
// Cancellation: the folder may be gone or not.
// Source: rmdir(2).
inline RemoveOperation remove_folder(const char* path) {
    return RemoveOperation(path, AT_REMOVEDIR);
}

// Gives a file or folder another name on the same file system (else cross_device_link). A file
// that has the name `to` is replaced: at no moment is the name gone. To survive a power cut, the
// file must be synced before, and the folder after.
//
// Cancellation: it may have the old name or the new one.
// Source: rename(2).
inline RenameOperation rename_file(const char* from, const char* to) {
    return RenameOperation(from, to);
}

// Makes a folder with `permissions` less the process's umask; file_exists if the name is taken. To
// survive a power cut, with all that is put in it, it needs sync_name().
//
// Cancellation: the folder may have been made or not.
// Source: mkdir(2).
inline MakeFolderOperation make_folder(const char* path, unsigned permissions = 0755) {
    return MakeFolderOperation(path, permissions);
}

// Waits until the names in a folder are on the medium: after making, renaming or removing one.
// Takes a descriptor for that time. Where the file system has nothing to sync for a folder, it has
// succeeded.
//
// Cancellation: the names may be on the medium or not.
// Source: fsync(2), "Calling fsync() does not necessarily ensure...", EINVAL.
Task<void> sync_folder(const char* path);

// The same for the folder in which `path` itself is a name.
//
// Errors: sync_folder()'s; filename_too_long beyond folder_path_bytes_max.
// Cancellation: as sync_folder().
Task<void> sync_name(const char* path);

// The folder that a path stands in, as a path: "a" of "a/b" and "a/b/", "." of "b", "/" of "/b".
// filename_too_long, if it is longer than folder_path_bytes_max.
inline constexpr std::size_t folder_path_bytes_max = 255;
using FolderPath = std::array<char, folder_path_bytes_max + 1>;
Result<FolderPath> folder_of(const char* path);

// Follows symbolic links. As File::status().
inline Task<FileStatus> file_status(const char* path) {
    return status_at(AT_FDCWD, path, 0);
}

}  // namespace ringlet
