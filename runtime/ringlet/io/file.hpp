// File: a file that is open.
//
//   auto file = co_await File::open("/etc/hostname");
//   std::array<std::byte, 256> buffer;
//   const auto contents = co_await file.read_all(buffer);
//   co_await file.close();
//
// Buffers and paths belong to the caller and outlive the await; paths end with a NUL. Sizes and
// offsets are bytes. Errors are the kernel's, unless said otherwise. Of read, write and write_all,
// which use the file's position, one at a time; the others may run side by side.
#pragma once

#include <ringlet/io/close.hpp>
#include <ringlet/io/file_status.hpp>
#include <ringlet/io/transfer.hpp>

#include <fcntl.h>

namespace ringlet {

// open(2)'s flags, to be joined by `|`.
enum class OpenMode : int {
    read = O_RDONLY,
    write = O_WRONLY,
    read_write = O_RDWR,
    append = O_APPEND,      // every write goes to the end
    create = O_CREAT,       // made if it is not there
    exclusive = O_EXCL,     // with create: an error if it is there
    truncate = O_TRUNC,     // emptied
    folder = O_DIRECTORY,   // an error if it is no folder
    replace = O_WRONLY | O_CREAT | O_TRUNC,  // fopen's "w"; see AtomicFile for what must survive
};
constexpr OpenMode operator|(OpenMode one, OpenMode other) {
    return static_cast<OpenMode>(static_cast<int>(one) | static_cast<int>(other));
}

class [[nodiscard]] SyncOperation : public OperationOf<SyncOperation, void> {
public:
    static constexpr const char* reason = "sync";

    SyncOperation(int descriptor, unsigned flags) : descriptor_(descriptor), flags_(flags) {}
    void prepare(io_uring_sqe& sqe) const { ::io_uring_prep_fsync(&sqe, descriptor_, flags_); }
    void value(int) const {}

private:
    int descriptor_;
    unsigned flags_;
};

class OpenOperation;

class File {
public:
    // For those who make descriptors.
    explicit File(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // Opens a file, with O_CLOEXEC. `permissions`, less the umask, are for one that is made. FIFOs
    // open at once or wait for the other side; to write, that may be no_such_device_or_address.
    //
    // Errors: too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
    // Cancellation: a file that was opened meanwhile is closed; one that was made stays.
    // Source: openat(2).
    static OpenOperation open(const char* path, OpenMode mode = OpenMode::read,
                              unsigned permissions = 0644);

    // Reads at the position, which moves on. Gives how much was read, maybe less than there is
    // room for; 0 at the end of the file.
    //
    // Cancellation: nothing was read, or all that was is given. The buffer is not touched later.
    // Source: read(2).
    ReadOperation read(std::span<std::byte> into) {
        return ReadOperation(descriptor_.get(), into, at_position);
    }
    // The same from `offset`; the position stays.
    ReadOperation read_at(std::uint64_t offset, std::span<std::byte> into) {
        return ReadOperation(descriptor_.get(), into, offset);
    }

    // Writes at the position, which moves on. Gives how much was written, maybe less than all: then
    // something is wrong, a full disk mostly, and io_uring may have left the position where it was.
    // So go on with write_at(), or use write_all() from the start.
    //
    // Cancellation: nothing was written, or what was is given.
    // Source: write(2).
    WriteOperation write(std::span<const std::byte> from) {
        return WriteOperation(descriptor_.get(), from, at_position);
    }
    // The same at `offset`; the position stays.
    WriteOperation write_at(std::uint64_t offset, std::span<const std::byte> from) {
        return WriteOperation(descriptor_.get(), from, offset);
    }

    // Writes all.
    //
    // Errors: as write's; then any part may have been written.
    // Cancellation: any part may have been written.
    Task<void> write_all(std::span<const std::byte> from) {
        return write_everything(descriptor_.get(), from);
    }
    Task<void> write_all_at(std::uint64_t offset, std::span<const std::byte> from) {
        return write_everything(descriptor_.get(), from, offset);
    }

    // Reads from the position to the end of the file and gives the part of `into` that it fills.
    //
    // Errors: file_too_large (Domain::runtime) if more is left than `into` holds.
    // Cancellation: the position is somewhere on the way.
    Task<std::span<std::byte>> read_all(std::span<std::byte> into);

    // Waits until all that was written is on the medium; sync_data() leaves out what is not needed
    // to read it back, such as times. An error says that something written was lost.
    //
    // Cancellation: what was written may be on the medium or not.
    // Source: fsync(2).
    SyncOperation sync() { return SyncOperation(descriptor_.get(), 0); }
    SyncOperation sync_data() { return SyncOperation(descriptor_.get(), IORING_FSYNC_DATASYNC); }

    // Cancellation: nothing is left behind.
    // Source: statx(2).
    Task<FileStatus> status() const { return status_at(descriptor_.get(), "", AT_EMPTY_PATH); }

    // Closes, and tells how that ended: an error may be the only sign of a failed earlier write.
    // Closed it is in every case. Harmless on a closed file. It cancels nothing: let all other
    // awaits on the file end first.
    //
    // Cancellation: the file is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    bool is_open() const { return descriptor_.is_open(); }
    // The descriptor's number, which stays the file's; -1 if it is closed.
    int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
};

class [[nodiscard]] OpenOperation : public OperationOf<OpenOperation, File> {
public:
    static constexpr const char* reason = "open";
    static constexpr bool opens_descriptor = true;

    OpenOperation(int folder, const char* path, int flags, unsigned permissions)
        : folder_(folder), path_(path), flags_(flags), permissions_(permissions) {}
    void prepare(io_uring_sqe& sqe) const {
        // O_LARGEFILE: on 32-bit machines the ring does not add it, as open(2) in libc does.
        ::io_uring_prep_openat(&sqe, folder_, path_, flags_ | O_CLOEXEC | O_LARGEFILE,
                               permissions_);
    }
    File value(int result) const { return File(Descriptor(result)); }

private:
    int folder_;
    const char* path_;
    int flags_;
    unsigned permissions_;
};

inline OpenOperation File::open(const char* path, OpenMode mode, unsigned permissions) {
    return OpenOperation(AT_FDCWD, path, static_cast<int>(mode), permissions);
}

// Opens a file and reads all of it; as File::open and File::read_all.
//
// Cancellation: nothing is left behind but bytes in `into`.
Task<std::span<std::byte>> read_file(const char* path, std::span<std::byte> into);

}  // namespace ringlet
