// The steps of a replacement.
#include <ringlet/io/atomic_file.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/task/attempt.hpp>

#include <cstdio>
#include <cstring>

namespace ringlet {
namespace {

// 64 random bits: a name that is taken is a sign of something else, so few tries suffice.
constexpr int tries_max = 3;

// The permissions for the new file; 0 with an error in `why` if there is what cannot be replaced.
Result<unsigned> permissions_like(const Result<FileStatus>& old) {
    if (!old && old.error() == std::errc::no_such_file_or_directory) return 0644u;
    if (!old) return std::unexpected(old.error());
    if (old->kind == FileKind::folder) return std::unexpected(Error(std::errc::is_a_directory));
    if (old->kind != FileKind::regular) return std::unexpected(Error(std::errc::invalid_argument));
    return old->permissions;
}

}  // namespace

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : file_(std::move(other.file_)),
      path_(other.path_),
      temporary_(std::exchange(other.temporary_, Name{})),
      committed_(other.committed_) {}

AtomicFile::~AtomicFile() {
    if (has_temporary()) log::warning("a temporary file is left behind: %s", temporary_.data());
}

AtomicFile::Name AtomicFile::temporary_name(const char* path) {
    std::uint64_t random = 0;
    scheduler().system().random(std::as_writable_bytes(std::span(&random, 1)));
    Name name{};
    std::snprintf(name.data(), name.size(), "%s.%016llx.tmp", path,
                  static_cast<unsigned long long>(random));
    return name;
}

Task<AtomicFile> AtomicFile::open(const char* path) {
    if (std::strlen(path) > path_bytes_max) co_await fail(std::errc::filename_too_long);
    const auto old = co_await attempt(file_status(path));
    const unsigned permissions = co_await permissions_like(old);
    for (int tries = 1;; ++tries) {
        const Name name = temporary_name(path);
        const OpenMode mode = OpenMode::write | OpenMode::create | OpenMode::exclusive;
        auto file = co_await attempt(File::open(name.data(), mode, permissions));
        if (file) {
            AtomicFile atomic(std::move(*file), path, name);
            // The umask took some away, which the old file has.
            const auto kept =
                old ? scheduler().system().set_permissions(atomic.file_.descriptor(), permissions)
                    : Result<void>();
            // FAT gives all files to the owner of the mount, who alone may do this.
            if (kept || kept.error() == std::errc::operation_not_permitted) co_return atomic;
            co_await atomic.abandon();
            co_await fail(kept.error());
        }
        const Error why = file.error();
        if (why != std::errc::file_exists || tries == tries_max) co_await fail(why);
    }
}

Task<void> AtomicFile::commit() {
    RINGLET_ASSERT(has_temporary());  // neither committed nor abandoned before
    co_await file_.sync();
    // Before the rename, so that no lack of descriptors can come between it and the sync.
    const FolderPath folder_path = co_await folder_of(path_);
    File folder = co_await File::open(folder_path.data(), OpenMode::read | OpenMode::folder);
    co_await rename_file(temporary_.data(), path_);
    temporary_[0] = '\0';
    committed_ = true;
    // As sync_folder(), whose frame might not fit.
    const auto synced = co_await attempt(folder.sync());
    if (!synced && synced.error() != std::errc::invalid_argument) co_await fail(synced.error());
    co_await file_.close();
}

Task<void> AtomicFile::abandon() {
    if (has_temporary()) {
        const auto removed = co_await attempt(remove_file(temporary_.data()));
        const bool gone = removed || removed.error() == std::errc::no_such_file_or_directory;
        if (!gone) co_await fail(removed.error());
        temporary_[0] = '\0';
    }
    const auto closed = co_await attempt(file_.close());
    static_cast<void>(closed);  // nothing of what was written matters
}

Task<void> write_atomic(const char* path, std::span<const std::byte> bytes) {
    co_await with(AtomicFile::open(path), [&](AtomicFile& file) -> Task<void> {
        co_await file.write_all(bytes);
        co_await file.commit();
    });
}

}  // namespace ringlet
