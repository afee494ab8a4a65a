// The table of what can go wrong with which opcode, with the manual page that says so.
#include <ringlet/testing/operation_faults.hpp>

#include <fcntl.h>

namespace ringlet::testing {
namespace {

bool is_stream_device(const Object& object) {
    return S_ISCHR(object.mode());
}

bool is_regular(const Object& object) {
    return S_ISREG(object.mode());
}

// Regular files never wait in a way that a signal ends (signal(7), "Interruption of system calls");
// everything else does: read(2), write(2), recv(2), send(2), accept(2).
void add_interruption(const Object& object, const FaultRates& rates, PossibleFaults& out) {
    if (!is_regular(object)) out.add(EINTR, rates.interrupted);
}

// A connection of TCP breaks for reasons outside, and a Unix one only with its process (unix(7)).
void add_events(Object& object, const FaultRates& rates, PossibleFaults& out) {
    Socket* const socket = object.as_socket();
    StreamSocket* const stream = socket != nullptr ? socket->as_stream() : nullptr;
    if (stream == nullptr || stream->is_unix()) return;
    if (stream->state() != StreamSocket::State::connected) return;
    out.add(FaultKind::reset, rates.resets);
    out.add(FaultKind::cut, rates.half_open);
}

// recv(2), recvmsg(2), send(2), sendmsg(2): ENOMEM; EAGAIN with MSG_DONTWAIT. send(2): ENOBUFS,
// "the output queue for a network interface was full", which TCP waits for instead.
void add_socket_transfer(const Request& request, bool sends, const FaultRates& rates,
                         PossibleFaults& out) {
    out.add(ENOMEM, rates.no_memory);
    if (!request.may_park()) out.add(EAGAIN, rates.again);
    const bool datagrams = request.object->as_socket()->type() == SOCK_DGRAM;
    if (sends && datagrams) out.add(ENOBUFS, rates.no_buffers);
}

// read(2), write(2): EIO; EAGAIN if somebody made the file description O_NONBLOCK, as happens to
// standard streams and, by this runtime, to terminals. "Other errors may occur, depending on the
// object": ENOMEM for the pages of files and of what is written into pipes.
void add_transfer(const Request& request, bool writes, const FaultRates& rates,
                  PossibleFaults& out) {
    Object& object = *request.object;
    if (object.as_socket() != nullptr) return add_socket_transfer(request, writes, rates, out);
    const bool regular = is_regular(object);
    const bool device = is_stream_device(object);
    if (regular || device) out.add(EIO, rates.io_errors);
    if (device && object.may_be_nonblocking()) out.add(EAGAIN, rates.again);
    if (regular || (writes && !device)) out.add(ENOMEM, rates.no_memory);
    if (regular && writes) out.add(ENOSPC, rates.no_space);
}

// accept(2): besides its own, "already-pending network errors on the new socket"; EPERM is a
// firewall's.
void add_accept(const Request& request, const FaultRates& rates, PossibleFaults& out) {
    out.add(EMFILE, rates.no_descriptors);
    out.add(ENOMEM, rates.no_memory);
    if (request.object->as_socket()->is_unix()) return out.add(ENFILE, rates.accept_failures);
    out.add(ENOBUFS, rates.no_buffers);
    out.add_one_of({ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH, ENFILE},
                   rates.accept_failures);
}

// connect(3p): ENOBUFS; a Unix socket's other half takes memory. EINTR is not given: a connect
// that was interrupted goes on by itself (connect(2)), which the ring waits for.
void add_connect(const Request& request, const FaultRates& rates, PossibleFaults& out) {
    if (request.object->as_socket()->is_unix())
        out.add(ENOMEM, rates.no_memory);
    else
        out.add(ENOBUFS, rates.no_buffers);
}

// open(2), unlink(2), rename(2), mkdir(2), stat(2): ENOMEM; EIO where the folder cannot be read
// from the disk (unlink(2), rename(3p), stat(3p)).
void add_path(const FaultRates& rates, PossibleFaults& out) {
    out.add(ENOMEM, rates.no_memory);
    out.add(EIO, rates.io_errors);
}

// rename(2), mkdir(2): ENOSPC for the new name.
void add_new_name(const FaultRates& rates, PossibleFaults& out) {
    add_path(rates, out);
    out.add(ENOSPC, rates.no_space);
}

// fsync(2).
void add_sync(const FaultRates& rates, PossibleFaults& out) {
    out.add(EIO, rates.io_errors);
    out.add(ENOSPC, rates.no_space);
    out.add(EINTR, rates.interrupted);
}

// open(2): EMFILE, ENFILE; ENOSPC if the file was to be created.
void add_open(const Request& request, World& world, PossibleFaults& out) {
    const FaultRates& rates = world.options().faults;
    add_path(rates, out);
    out.add_one_of({EMFILE, ENFILE}, rates.no_descriptors);
    if ((request.sqe.open_flags & O_CREAT) == 0) return;
    const auto* path = reinterpret_cast<const char*>(static_cast<std::uintptr_t>(request.sqe.addr));
    const int from = world.start_of(request.sqe.fd, path);
    if (from >= 0 && world.files().find(from, path) < 0) out.add(ENOSPC, rates.no_space);
}

}  // namespace

bool is_spared(const Object* object, World& world) {
    if (object == nullptr) return false;
    // signalfd(2) and eventfd(2) have no type of file (anon_inode).
    return (object->mode() & S_IFMT) == 0 || object == &world.standard_error();
}

void find_faults(const Request& request, World& world, PossibleFaults& out) {
    if (is_spared(request.object, world)) return;
    const FaultRates& rates = world.options().faults;
    switch (request.sqe.opcode) {
        case IORING_OP_READ:
        case IORING_OP_WRITE:
            add_transfer(request, request.sqe.opcode == IORING_OP_WRITE, rates, out);
            break;
        case IORING_OP_RECV:
        case IORING_OP_RECVMSG: add_socket_transfer(request, false, rates, out); break;
        case IORING_OP_SEND:
        case IORING_OP_SENDMSG: add_socket_transfer(request, true, rates, out); break;
        case IORING_OP_ACCEPT: add_accept(request, rates, out); break;
        case IORING_OP_CONNECT: return add_connect(request, rates, out);
        case IORING_OP_POLL_ADD: return out.add(ENOMEM, rates.no_memory);  // poll(2)
        case IORING_OP_FSYNC: return add_sync(rates, out);
        case IORING_OP_OPENAT: return add_open(request, world, out);
        case IORING_OP_MKDIRAT:
        case IORING_OP_RENAMEAT: return add_new_name(rates, out);
        case IORING_OP_UNLINKAT:
        case IORING_OP_STATX: return add_path(rates, out);
        default: return;
    }
    // io_uring_enter(2): -ENOBUFS also if a buffer came home while the error was on its way.
    if (request.selects_buffer()) out.add(ENOBUFS, rates.no_buffers);
    add_interruption(*request.object, rates, out);
    if (request.sqe.opcode != IORING_OP_ACCEPT) add_events(*request.object, rates, out);
}

}  // namespace ringlet::testing
