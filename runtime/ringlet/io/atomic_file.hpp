// AtomicFile: replaces a file as a whole, so that whoever reads it, also after a power cut, finds
// the old contents or the new ones, never a part.
//
//   co_await with(AtomicFile::open("/etc/gateway.json"), [&](AtomicFile& file) -> Task<void> {
//       co_await file.write_all(first_part);
//       co_await file.write_all(second_part);
//       co_await file.commit();
//   });
//
//   1 open(): a temporary file beside the old one, <path>.<16 hexadecimal digits>.tmp
//   2 write_all()
//   3 commit(): sync the temporary, rename it over the old file, sync the folder
//     or close(), without a commit: remove the temporary
//
// Only commit() replaces: leaving with() without it, by an error, a cancellation or a plain return,
// keeps the old file. A power cut can leave a temporary behind, as can a destructor, which cannot
// await; it logs the name. So use with().
#pragma once

#include <ringlet/io/file.hpp>

#include <array>

namespace ringlet {

class AtomicFile {
public:
    // The longest path, in bytes. The file's own name has at most 234 (255 with what is appended).
    static constexpr std::size_t path_bytes_max = 255;

    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    ~AtomicFile();

    // Begins to replace `path`, which must outlive the AtomicFile; the file need not exist. The new
    // one gets the permissions of the old one, where the file system lets the process choose them,
    // or 0644 less the umask, and the owner of the process. A symbolic link is itself replaced,
    // not what it points to.
    //
    // Errors: the kernel's; filename_too_long; is_a_directory; invalid_argument if the path is a
    // device, pipe or socket.
    // Cancellation: a temporary that was made is removed by with(); without it, it may stay.
    // Source: open(2), O_EXCL.
    static Task<AtomicFile> open(const char* path);

    // As File::write_all(): nothing of it shows until the commit.
    Task<void> write_all(std::span<const std::byte> from) { return file_.write_all(from); }

    // Puts the new contents in the place of the old ones, and closes. Once, at the end. Takes one
    // more descriptor for that time, for the folder. After it, no power cut takes the new contents
    // away, if the folder's own name is synced (see make_folder()).
    //
    // Errors: the kernel's. Before the rename the old file is untouched; after it, which
    // is_committed() tells, the new one is in place and only may not survive a power cut.
    // Cancellation: as errors.
    // Source: fsync(2), rename(2).
    Task<void> commit();

    // Gives up: removes the temporary and closes. Harmless after a commit and twice. close() is the
    // same, under the name that with() looks for.
    //
    // Errors: the kernel's, if the temporary cannot be removed.
    // Cancellation: the temporary may stay.
    Task<void> abandon();
    Task<void> close() { return abandon(); }

    // True once the new contents stand in the old ones' place.
    bool is_committed() const { return committed_; }

private:
    static constexpr std::size_t name_bytes_max = path_bytes_max + 22;

    using Name = std::array<char, name_bytes_max>;

    AtomicFile(File file, const char* path, const Name& temporary)
        : file_(std::move(file)), path_(path), temporary_(temporary) {}
    static Name temporary_name(const char* path);
    bool has_temporary() const { return temporary_[0] != '\0'; }

    File file_;
    const char* path_;
    Name temporary_;  // empty once there is none
    bool committed_ = false;
};

// Replaces a file's contents with `bytes`, or makes it, as AtomicFile does. Path and bytes belong
// to the caller and outlive the await.
//
// Errors: AtomicFile's. Cancellation: the old file or the new one is there, whole; a temporary is
// removed before the caller unwinds.
Task<void> write_atomic(const char* path, std::span<const std::byte> bytes);

}  // namespace ringlet
