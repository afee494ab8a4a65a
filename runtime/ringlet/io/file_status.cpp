// statx, and its answer in our words.
#include <ringlet/io/file_status.hpp>

#include <ringlet/task/awaiter.hpp>

#include <sys/stat.h>

namespace ringlet {
namespace {

class StatusOperation : public OperationOf<StatusOperation, void> {
public:
    static constexpr const char* reason = "status";

    StatusOperation(int folder, const char* path, int flags, struct statx& out)
        : folder_(folder), path_(path), flags_(flags), out_(out) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_statx(&sqe, folder_, path_, flags_, STATX_BASIC_STATS, &out_);
    }
    void value(int) const {}

private:
    int folder_;
    const char* path_;
    int flags_;
    struct statx& out_;
};

FileKind kind_of(unsigned mode) {
    switch (mode & S_IFMT) {
        case S_IFREG: return FileKind::regular;
        case S_IFDIR: return FileKind::folder;
        case S_IFLNK: return FileKind::symbolic_link;
        case S_IFIFO: return FileKind::pipe;
        case S_IFSOCK: return FileKind::socket;
        case S_IFCHR: return FileKind::character_device;
        case S_IFBLK: return FileKind::block_device;
        default: return FileKind::other;
    }
}

Instant instant(const statx_timestamp& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Task<FileStatus> status_at(int folder, const char* path, int flags) {
    struct statx raw {};
    co_await StatusOperation(folder, path, flags, raw);
    co_return FileStatus{.kind = kind_of(raw.stx_mode),
                         .permissions = raw.stx_mode & 07777u,
                         .bytes = raw.stx_size,
                         .links = raw.stx_nlink,
                         .modified = instant(raw.stx_mtime),
                         .changed = instant(raw.stx_ctime),
                         .accessed = instant(raw.stx_atime)};
}

}  // namespace ringlet
