// Each opcode, as the manual page of its system call tells it.
#include <ringlet/testing/operations.hpp>

#include <climits>
#include <cstring>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <utility>

namespace ringlet::testing {
namespace {

template <class T>
T* pointer(std::uint64_t address) {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(address));
}

bool is_executed(int opcode) {
    switch (opcode) {
        case IORING_OP_NOP:
        case IORING_OP_TIMEOUT:
        case IORING_OP_ASYNC_CANCEL:
        case IORING_OP_READ:
        case IORING_OP_WRITE:
        case IORING_OP_RECV:
        case IORING_OP_SEND:
        case IORING_OP_RECVMSG:
        case IORING_OP_SENDMSG:
        case IORING_OP_ACCEPT:
        case IORING_OP_CONNECT:
        case IORING_OP_SHUTDOWN:
        case IORING_OP_CLOSE:
        case IORING_OP_POLL_ADD:
        case IORING_OP_OPENAT:
        case IORING_OP_FSYNC:
        case IORING_OP_RENAMEAT:
        case IORING_OP_UNLINKAT:
        case IORING_OP_MKDIRAT:
        case IORING_OP_STATX: return true;
        default: return false;
    }
}

// Whether sqe.fd is a descriptor that the operation works on; others name a folder, or nothing.
bool works_on_descriptor(int opcode) {
    switch (opcode) {
        case IORING_OP_READ:
        case IORING_OP_WRITE:
        case IORING_OP_RECV:
        case IORING_OP_SEND:
        case IORING_OP_RECVMSG:
        case IORING_OP_SENDMSG:
        case IORING_OP_ACCEPT:
        case IORING_OP_CONNECT:
        case IORING_OP_SHUTDOWN:
        case IORING_OP_POLL_ADD:
        case IORING_OP_FSYNC: return true;
        default: return false;
    }
}

bool works_on_socket(int opcode) {
    return opcode == IORING_OP_RECV || opcode == IORING_OP_SEND || opcode == IORING_OP_RECVMSG ||
           opcode == IORING_OP_SENDMSG || opcode == IORING_OP_ACCEPT ||
           opcode == IORING_OP_CONNECT || opcode == IORING_OP_SHUTDOWN;
}

// Its answer depends on what the disk has, or it changes that.
bool works_on_disk(const Request& request) {
    switch (request.sqe.opcode) {
        case IORING_OP_READ:
        case IORING_OP_WRITE:
        case IORING_OP_FSYNC: return request.object->as_file() != nullptr;
        case IORING_OP_OPENAT:
        case IORING_OP_RENAMEAT:
        case IORING_OP_UNLINKAT:
        case IORING_OP_MKDIRAT:
        case IORING_OP_STATX: return true;
        default: return false;
    }
}

int copy_address(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    SocketAddress& to = request.address;
    if (sqe.off > sizeof to.storage) return -EINVAL;
    if (sqe.addr == 0 && sqe.off != 0) return -EFAULT;
    to.size = static_cast<socklen_t>(sqe.off);
    if (to.size != 0) std::memcpy(&to.storage, pointer<void>(sqe.addr), to.size);
    return 0;
}

// A path is copied before it is known where it starts.
int check_path(std::uint64_t address) {
    const std::size_t size = ::strnlen(pointer<const char>(address), PATH_MAX);
    if (size == 0) return -ENOENT;
    return size == PATH_MAX ? -ENAMETOOLONG : 0;
}

// io_uring_prep_timeout(3), of which only an absolute deadline on the boot-time clock is known.
int copy_deadline(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    if (sqe.timeout_flags != (IORING_TIMEOUT_ABS | IORING_TIMEOUT_BOOTTIME)) return -EINVAL;
    if (sqe.len != 1 || sqe.off != 0) return -EINVAL;
    const auto& time = *pointer<const __kernel_timespec>(sqe.addr);
    if (time.tv_sec < 0 || time.tv_nsec < 0) return -EINVAL;
    request.deadline = later(time.tv_nsec, std::chrono::seconds(time.tv_sec));
    return 0;
}

// accept(2): as much of the name as the caller has room for, and the whole name's length.
void report_address(const SocketAddress& address, sockaddr* out, socklen_t* size) {
    if (out == nullptr || size == nullptr) return;
    std::memcpy(out, &address.storage, std::min(*size, address.size));
    *size = address.size;
}

}  // namespace

int Operations::admit(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    constexpr unsigned never_executed = IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_IO_HARDLINK;
    if (!is_executed(sqe.opcode) || (sqe.flags & never_executed) != 0) return -EINVAL;
    const bool selectable = sqe.opcode == IORING_OP_READ || sqe.opcode == IORING_OP_RECV;
    if (request.selects_buffer() && !selectable) return -EOPNOTSUPP;
    // What the SQE says is looked at before the descriptor is.
    if (const int error = take_fields(request); error != 0) return error;
    if ((sqe.flags & IOSQE_FIXED_FILE) != 0) return -EBADF;
    if (!works_on_descriptor(sqe.opcode)) return 0;

    Object* object = world_.descriptors().at(sqe.fd);
    if (object == nullptr) return -EBADF;
    request.object = object;
    object->hold();
    if (works_on_socket(sqe.opcode)) {
        if (object->as_socket() == nullptr) return -ENOTSOCK;
        // A datagram is all there is to wait for.
        const bool datagrams = object->as_socket()->type() == SOCK_DGRAM;
        if (datagrams && request.is_message()) request.sqe.msg_flags &= ~unsigned{MSG_WAITALL};
    }
    return 0;
}

int Operations::take_fields(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    constexpr unsigned accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (works_on_socket(sqe.opcode)) {
        if (const int error = check_flags(request); error != 0) return error;
    }
    switch (sqe.opcode) {
        case IORING_OP_TIMEOUT: return copy_deadline(request);
        case IORING_OP_RECVMSG:
        case IORING_OP_SENDMSG: return copy_header(request);
        case IORING_OP_CONNECT: return copy_address(request);
        case IORING_OP_ACCEPT: return (sqe.accept_flags & ~accept_flags) != 0 ? -EINVAL : 0;
        case IORING_OP_POLL_ADD: return sqe.len != 0 ? -EINVAL : 0;  // multishot and updates
        case IORING_OP_FSYNC: return (sqe.fsync_flags & ~IORING_FSYNC_DATASYNC) != 0 ? -EINVAL : 0;
        case IORING_OP_UNLINKAT:
            if ((sqe.unlink_flags & ~AT_REMOVEDIR) != 0) return -EINVAL;
            return check_path(sqe.addr);
        case IORING_OP_OPENAT:
        case IORING_OP_MKDIRAT: return check_path(sqe.addr);
        case IORING_OP_STATX:
            return (sqe.statx_flags & AT_EMPTY_PATH) != 0 ? 0 : check_path(sqe.addr);
        case IORING_OP_RENAMEAT: {
            if (const int error = check_path(sqe.addr); error != 0) return error;
            if (const int error = check_path(sqe.addr2); error != 0) return error;
            return (sqe.rename_flags & ~RENAME_NOREPLACE) != 0 ? -EINVAL : 0;
        }
        default: return 0;
    }
}

// io_uring_prep_recv_multishot(3). The bit of POLL_FIRST means "multishot" to ACCEPT.
int Operations::check_flags(const Request& request) const {
    const io_uring_sqe& sqe = request.sqe;
    const bool transfers = request.is_message() || request.has_header();
    const unsigned known = transfers ? IORING_RECVSEND_POLL_FIRST : 0;
    if (!request.is_multishot()) return (sqe.ioprio & ~known) != 0 ? -EINVAL : 0;
    if ((sqe.ioprio & ~(known | IORING_RECV_MULTISHOT)) != 0) return -EINVAL;
    const bool valid = request.selects_buffer() && sqe.len == 0 && !request.waits_for_all();
    return valid ? 0 : -EINVAL;
}

int Operations::attempt(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    if (works_on_disk(request) && !world_.begin_disk_operation()) return -EIO;
    switch (sqe.opcode) {
        case IORING_OP_NOP: return 0;
        case IORING_OP_TIMEOUT:
            return world_.now(Clock::boottime) >= request.deadline ? -ETIME : would_block;
        case IORING_OP_READ:
        case IORING_OP_RECV: return take_in(request);
        case IORING_OP_WRITE:
        case IORING_OP_SEND: return give_out(request);
        case IORING_OP_RECVMSG: return receive_message(request);
        case IORING_OP_SENDMSG: return send_message(request);
        case IORING_OP_ACCEPT: return accept(request);
        case IORING_OP_CONNECT:
            return world_.network().connect(*request.object->as_socket(), request.address);
        case IORING_OP_SHUTDOWN:
            return request.object->as_socket()->shutdown(static_cast<int>(sqe.len));
        case IORING_OP_CLOSE: return close(sqe);
        case IORING_OP_POLL_ADD: return poll(request);
        case IORING_OP_FSYNC: return fsync(request);
        case IORING_OP_OPENAT:
            return world_.open_file(sqe.fd, pointer<const char>(sqe.addr),
                                    static_cast<int>(sqe.open_flags), sqe.len);
        case IORING_OP_RENAMEAT: return rename(sqe);
        case IORING_OP_STATX: return statx(sqe);
        case IORING_OP_UNLINKAT: {
            const char* path = pointer<const char>(sqe.addr);
            const int from = world_.start_of(sqe.fd, path);
            const int flags = static_cast<int>(sqe.unlink_flags);
            return from < 0 ? from : world_.files().unlink(from, path, flags);
        }
        case IORING_OP_MKDIRAT: {
            const char* path = pointer<const char>(sqe.addr);
            const int from = world_.start_of(sqe.fd, path);
            return from < 0 ? from : world_.files().make_folder(from, path, sqe.len);
        }
        default: return -EINVAL;
    }
}

// ---- transfers ----

std::size_t Operations::shorten(std::size_t size, std::size_t grain) {
    if (!world_.options().short_transfers || size <= grain) return size;
    return world_.random().size_between(grain, size);
}

int Operations::take_in(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    if (!request.selects_buffer()) {
        if (sqe.addr == 0 && sqe.len != 0) return -EFAULT;
        return take_into(request, {pointer<std::byte>(sqe.addr), sqe.len});
    }
    if (!request.into.empty()) return take_into(request, request.into);
    BufferGroups::Buffer buffer{};
    if (!buffers_.peek(sqe.buf_group, sqe.len, buffer)) {
        // Who waits already notices when something comes. (Of a multishot that has taken the last
        // buffer, Linux 6.1 to 6.4 do not wait for that; a program cannot rely on either.)
        constexpr unsigned comes = POLLIN | POLLRDHUP | POLLHUP | POLLERR;
        const bool waited = request.waited || request.shots != 0;
        const bool waits = waited && (request.object->ready() & comes) == 0;
        return waits ? would_block : -ENOBUFS;
    }
    const int result = take_into(request, buffer.bytes);
    request.waited |= result == would_block;
    // A buffer with nothing in it stays with its group; but a READ uses one up to say "the end".
    // What cannot be polled has taken its buffer before it fails.
    const bool failed = result < 0 && request.object->as_file() != nullptr;
    const bool ended = result == 0 && !request.is_message();
    const bool used = result > 0 || request.moved > 0 || ended || failed;
    if (!used) return result;
    request.into = buffer.bytes;
    request.flags = IORING_CQE_F_BUFFER | unsigned{buffer.id} << IORING_CQE_BUFFER_SHIFT;
    buffers_.take(sqe.buf_group);
    return result;
}

int Operations::take_into(Request& request, std::span<std::byte> out) {
    const bool all = request.waits_for_all() && request.may_park();
    if (!all) out = out.first(shorten(out.size(), request.object->read_grain()));
    while (true) {
        const int count = read_some(request, out.subspan(request.moved));
        if (!all || count == would_block) return count;
        // An end or an error comes too late to take back what was received before it.
        if (count <= 0) return request.moved > 0 ? static_cast<int>(request.moved) : count;
        request.moved += static_cast<std::size_t>(count);
        if (request.moved == out.size()) return static_cast<int>(request.moved);
    }
}

// With MSG_TRUNC a datagram's whole size is told.
int Operations::read_some(Request& request, std::span<std::byte> out) {
    if (!request.is_message()) {
        return request.object->read(out, static_cast<Offset>(request.sqe.off));
    }
    Incoming in{.into = out,
                .whole_size = (request.sqe.msg_flags & MSG_TRUNC) != 0,
                .dont_wait = (request.sqe.msg_flags & MSG_DONTWAIT) != 0};
    return request.object->as_socket()->receive(in);
}

int Operations::give_out(Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    if (sqe.addr == 0 && sqe.len != 0) return -EFAULT;
    const bool all = request.waits_for_all() && request.may_park();
    std::span<const std::byte> in{pointer<const std::byte>(sqe.addr), sqe.len};
    if (!all) in = in.first(shorten(in.size(), request.object->write_grain()));
    while (true) {
        const int count = write_some(request, in.subspan(request.moved));
        if (!all || count == would_block) return count;
        if (count <= 0) return request.moved > 0 ? static_cast<int>(request.moved) : count;
        request.moved += static_cast<std::size_t>(count);
        if (request.moved == in.size()) return static_cast<int>(request.moved);
    }
}

int Operations::write_some(Request& request, std::span<const std::byte> in) {
    const io_uring_sqe& sqe = request.sqe;
    const auto at = static_cast<Offset>(sqe.off);
    OpenFile* const file = request.object->as_file();
    if (file == nullptr) return request.object->write(in, at);
    const Offset before = file->position();
    const bool appends = (sqe.rw_flags & RWF_APPEND) != 0;
    const int count = appends ? file->write(in, at, true) : file->write(in, at);
    // A short write leaves the position where it was (seen on Linux 6.18).
    if (count > 0 && std::cmp_less(count, sqe.len)) file->set_position(before);
    return count;
}

// ---- descriptors ----

int Operations::accept(const Request& request) {
    const io_uring_sqe& sqe = request.sqe;
    // The kernel reserves the number before it looks for a connection.
    if (const int number = world_.descriptors().lowest_free(); number < 0) return number;
    StreamSocket* const listener = request.object->as_socket()->as_stream();
    if (listener == nullptr) return -EOPNOTSUPP;
    StreamSocket* connection = nullptr;
    const int error = listener->accept(connection);
    if (error != 0) return error;
    report_address(connection->remote, pointer<sockaddr>(sqe.addr), pointer<socklen_t>(sqe.addr2));
    return world_.descriptors().install(*connection);
}

int Operations::poll(const Request& request) {
    // The kernel's own swap of halves on big-endian machines undoes itself.
    const unsigned asked = __io_uring_prep_poll_mask(request.sqe.poll32_events);
    constexpr unsigned unasked = POLLERR | POLLHUP | POLLRDHUP;
    const unsigned events = request.object->ready() & (asked | unasked);
    if (events != 0) return static_cast<int>(events);
    // A file is always ready, so there is nothing to wait for.
    return request.object->as_file() != nullptr ? -EINVAL : would_block;
}

int Operations::close(const io_uring_sqe& sqe) {
    return sqe.file_index != 0 ? -ENXIO : world_.descriptors().close(sqe.fd);
}

int Operations::fsync(const Request& request) {
    const bool data_only = (request.sqe.fsync_flags & IORING_FSYNC_DATASYNC) != 0;
    const OpenFile* const file = request.object->as_file();
    if (file == nullptr) return -EINVAL;
    world_.files().sync(file->node(), data_only);
    return 0;
}

// ---- names of files ----

int Operations::rename(const io_uring_sqe& sqe) {
    const char* old_path = pointer<const char>(sqe.addr);
    const char* path = pointer<const char>(sqe.addr2);
    const int old_from = world_.start_of(sqe.fd, old_path);
    if (old_from < 0) return old_from;
    const int from = world_.start_of(static_cast<int>(sqe.len), path);
    if (from < 0) return from;
    return world_.files().rename(old_from, old_path, from, path, sqe.rename_flags);
}

int Operations::statx(const io_uring_sqe& sqe) {
    const char* path = pointer<const char>(sqe.addr);
    struct statx& out = *pointer<struct statx>(sqe.addr2);
    if (path[0] != '\0' || (sqe.statx_flags & AT_EMPTY_PATH) == 0) {
        const int from = world_.start_of(sqe.fd, path);
        const int node = from < 0 ? from : world_.files().find(from, path);
        if (node < 0) return node;
        out = {};
        world_.files().describe(node, out);
        return 0;
    }
    Object* object = world_.descriptors().at(sqe.fd);
    if (object == nullptr) return -EBADF;
    out = {};
    if (const OpenFile* file = object->as_file(); file != nullptr) {
        world_.files().describe(file->node(), out);
        return 0;
    }
    out.stx_mask = STATX_TYPE | STATX_MODE;
    out.stx_mode = static_cast<std::uint16_t>(object->mode());
    return 0;
}

}  // namespace ringlet::testing
