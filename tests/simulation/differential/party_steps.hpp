// How a Party carries out each step, and what it writes down of the answer.
#pragma once

#include "party.hpp"

#include <netinet/tcp.h>

namespace ringlet::differential {

// ---- addresses ----

inline SocketAddress Party::unix_address(std::string_view name) const {
    SocketAddress address;
    auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
    un.sun_family = AF_UNIX;
    name.copy(un.sun_path, sizeof un.sun_path);
    const bool path = !name.empty() && name.front() != '\0';
    address.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (path ? 1 : 0));
    return address;
}

inline SocketAddress Party::resolve(const Address& address) {
    using Kind = Address::Kind;
    const auto internet = [](std::uint32_t host, std::uint16_t port) {
        SocketAddress out = testing::internet_address(AF_INET, false, port);
        reinterpret_cast<sockaddr_in&>(out.storage).sin_addr.s_addr = htonl(host);
        return out;
    };
    constexpr std::uint32_t nobodys_host = 0x7ffefefe;  // 127.254.254.254
    const std::string number = std::to_string(address.number);
    switch (address.kind) {
        case Kind::none: return {};
        case Kind::own_host: return internet(host_, 0);
        case Kind::any_host: return internet(INADDR_ANY, 0);
        case Kind::nobody: return internet(nobodys_host, 9);
        case Kind::path: return unix_address(folder_ + "/socket" + number);
        case Kind::no_such_folder: return unix_address(folder_ + "/none/socket");
        case Kind::abstract: return unix_address(std::string(1, '\0') + folder_ + number);
        case Kind::nameless: return testing::nameless_unix();
        case Kind::stub: {
            SocketAddress out = internet(host_, 1);
            out.size = 4;
            return out;
        }
        case Kind::of_slot: break;
    }
    const auto name = system_.local_address(descriptor(address.number));
    if (!name) return internet(nobodys_host, 9);
    if (name->storage.ss_family == AF_UNIX) return *name;
    // A port of its own has only who is bound.
    return testing::port_of(*name) == 0 ? internet(nobodys_host, 9) : *name;
}

// ---- what is answered at once ----

// TCP's bytes shall be there when the send has ended: Nagle's algorithm would wait for the peer's
// acknowledgement.
inline int Party::without_delay(int socket) {
    std::ignore = system_.set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    return socket;
}

inline void Party::call(const Step& step, Observation& seen) {
    const int number = descriptor(step.slot);
    const auto note = [&](const auto& result) {
        seen.result = result ? 0 : -static_cast<long>(result.error().code());
        return result.has_value();
    };
    switch (step.verb) {
        case Verb::socket: {
            const auto made = system_.socket(step.value, step.kind, 0);
            if (note(made)) put(step.made, without_delay(*made));
            return;
        }
        case Verb::pipe: {
            const auto ends = system_.pipe();
            if (!note(ends)) return;
            put(step.made, (*ends)[0]);
            put(step.made_too, (*ends)[1]);
            return;
        }
        case Verb::bind: note(system_.bind(number, resolve(step.address))); return;
        case Verb::listen: note(system_.listen(number, step.value)); return;
        case Verb::set_option:
            note(system_.set_option(number, step.kind, step.name, step.value));
            return;
        case Verb::get_option: {
            const auto value = system_.get_option(number, step.kind, step.name);
            if (note(value)) seen.result = *value;
            return;
        }
        case Verb::local_name: {
            const auto name = system_.local_address(number);
            if (note(name)) seen.name = *name;
            return;
        }
        case Verb::peer_name: {
            const auto name = system_.peer_address(number);
            if (note(name)) seen.name = *name;
            return;
        }
        case Verb::credentials: {
            const auto peer = system_.peer_credentials(number);
            if (note(peer)) seen.result = peer->user == static_cast<unsigned>(-1) ? 0 : 1;
            return;
        }
        case Verb::permissions:
            note(system_.set_permissions(number, static_cast<unsigned>(step.value)));
            return;
        case Verb::provide: buffers_.provide(step.value); return;
        default: RINGLET_ASSERT(false);
    }
}

// ---- operations of the ring ----

inline void Party::start(const Step& step, unsigned number) {
    if (step.verb < Verb::nop) {
        Observation seen{.step = number};
        call(step, seen);
        seen_.push_back(std::move(seen));
        return;
    }
    auto operation = std::make_unique<Operation>();
    operation->step = step;
    operation->bytes.assign(step.size, '.');
    if (step.verb == Verb::write || step.verb == Verb::send || step.verb == Verb::send_message) {
        for (unsigned i = 0; i < step.size; ++i)
            operation->bytes[i] = static_cast<char>('a' + (number + i) % 26);
    }
    operation->path = path_of(step.path, step.other);
    operation->new_path = path_of(step.new_path, step.other);
    operation->address = resolve(step.address);
    io_uring_sqe& sqe = ring_.next_sqe();
    prepare(sqe, step, *operation);
    sqe.user_data = number + 1;
    if (step.through_worker) sqe.flags |= IOSQE_ASYNC;
    if (step.selects) {
        sqe.flags |= IOSQE_BUFFER_SELECT;
        sqe.buf_group = ProvidedBuffers::group;
    }
    operations_.resize(std::max<std::size_t>(operations_.size(), number + 1));
    operations_[number] = std::move(operation);
    ++pending_;
}

inline void Party::prepare(io_uring_sqe& sqe, const Step& step, Operation& it) {
    const int number = descriptor(step.slot);
    const int folder = step.other == no_slot ? AT_FDCWD : descriptor(step.other);
    char* const data = step.selects ? nullptr : it.bytes.data();
    const auto offset = static_cast<std::uint64_t>(step.offset);
    switch (step.verb) {
        case Verb::read: return io_uring_prep_read(&sqe, number, data, step.size, offset);
        case Verb::write: return io_uring_prep_write(&sqe, number, data, step.size, offset);
        case Verb::receive: return io_uring_prep_recv(&sqe, number, data, step.size, step.flags);
        case Verb::send: return io_uring_prep_send(&sqe, number, data, step.size, step.flags);
        case Verb::receive_message:
            prepare_message(it);
            return io_uring_prep_recvmsg(&sqe, number, &it.header,
                                         static_cast<unsigned>(step.flags | MSG_CMSG_CLOEXEC));
        case Verb::send_message:
            prepare_message(it);
            return io_uring_prep_sendmsg(&sqe, number, &it.header,
                                         static_cast<unsigned>(step.flags));
        case Verb::accept: {
            it.address.size = sizeof it.address.storage;
            const bool named = step.size != 0;
            return io_uring_prep_accept(&sqe, number, named ? it.address.get() : nullptr,
                                        named ? &it.address.size : nullptr, step.flags);
        }
        case Verb::connect:
            return io_uring_prep_connect(&sqe, number, it.address.get(), it.address.size);
        case Verb::shutdown: return io_uring_prep_shutdown(&sqe, number, step.flags);
        case Verb::close: forget(step.slot); return io_uring_prep_close(&sqe, number);
        case Verb::poll:
            return io_uring_prep_poll_add(&sqe, number, static_cast<unsigned>(step.flags));
        case Verb::open:
            return io_uring_prep_openat(&sqe, folder, it.path.c_str(), step.flags | O_CLOEXEC,
                                        static_cast<mode_t>(step.value));
        case Verb::sync:
            return io_uring_prep_fsync(&sqe, number, static_cast<unsigned>(step.flags));
        case Verb::rename:
            return io_uring_prep_renameat(&sqe, folder, it.path.c_str(), folder,
                                          it.new_path.c_str(), static_cast<unsigned>(step.flags));
        case Verb::unlink: return io_uring_prep_unlinkat(&sqe, folder, it.path.c_str(), step.flags);
        case Verb::make_folder:
            return io_uring_prep_mkdirat(&sqe, folder, it.path.c_str(),
                                         static_cast<mode_t>(step.value));
        case Verb::stat: {
            const bool opened = step.slot != no_slot;
            return io_uring_prep_statx(&sqe, opened ? number : folder, it.path.c_str(),
                                       opened ? AT_EMPTY_PATH : 0, STATX_BASIC_STATS, &it.stat);
        }
        case Verb::cancel:
            return io_uring_prep_cancel64(&sqe, step.target + 1,
                                          step.value != 0 ? IORING_ASYNC_CANCEL_ALL : 0);
        case Verb::cancel_descriptor:
            return io_uring_prep_cancel_fd(&sqe, number,
                                           step.value != 0 ? IORING_ASYNC_CANCEL_ALL : 0);
        case Verb::cancel_any: return io_uring_prep_cancel64(&sqe, 0, IORING_ASYNC_CANCEL_ANY);
        default: return io_uring_prep_nop(&sqe);
    }
}

inline void Party::prepare_message(Operation& it) {
    it.vector = {it.bytes.data(), it.bytes.size()};
    it.header.msg_iov = &it.vector;
    it.header.msg_iovlen = 1;
    const bool sends = it.step.verb == Verb::send_message;
    if (!sends || it.address.size != 0) {
        it.header.msg_name = it.address.get();
        it.header.msg_namelen = sends ? it.address.size : sizeof it.address.storage;
    }
    const bool passes = sends ? it.step.other != no_slot : it.step.made != no_slot;
    if (!passes) return;
    it.header.msg_control = it.control.data();
    it.header.msg_controllen = sends ? it.control.size() : CMSG_LEN(sizeof(int));
    if (!sends) return;
    cmsghdr* const head = CMSG_FIRSTHDR(&it.header);
    head->cmsg_len = CMSG_LEN(sizeof(int));
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    const int number = descriptor(it.step.other);
    std::memcpy(CMSG_DATA(head), &number, sizeof number);
}

// ---- completions ----

inline void Party::observe_message(const Operation& it, Observation& seen) {
    seen.message_flags = static_cast<unsigned>(it.header.msg_flags);
    SocketAddress from = it.address;
    from.size = it.header.msg_namelen;
    if (from.size != 0) seen.name = from;
    const cmsghdr* const head = CMSG_FIRSTHDR(&it.header);
    if (head == nullptr) return;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(head), sizeof number);
    seen.passed = 1;
    put(it.step.made, number);
}

inline std::string text(const struct statx& found) {
    const bool folder = S_ISDIR(found.stx_mode);
    const bool file = S_ISREG(found.stx_mode);
    std::array<char, 80> out{};
    // A folder's size and links are the file system's business.
    std::snprintf(out.data(), out.size(), "mode %o", static_cast<unsigned>(found.stx_mode));
    if (!file || folder) return out.data();
    std::snprintf(out.data(), out.size(), "mode %o size %llu links %u",
                  static_cast<unsigned>(found.stx_mode),
                  static_cast<unsigned long long>(found.stx_size), found.stx_nlink);
    return out.data();
}

inline void Party::complete(const Completion& completion) {
    const auto number = static_cast<unsigned>(completion.user_data - 1);
    RINGLET_ASSERT(is_pending(number));
    const std::unique_ptr<Operation> it = std::move(operations_[number]);
    --pending_;
    constexpr unsigned told = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE | 0xffff0000u;
    Observation seen{.step = number, .result = completion.result, .flags = completion.flags & told};
    const auto count = static_cast<std::size_t>(std::max(completion.result, 0));
    switch (it->step.verb) {
        case Verb::open:
        case Verb::accept:
            if (seen.result < 0) break;
            put(it->step.made, completion.result);
            if (it->step.verb == Verb::accept) without_delay(completion.result);
            seen.result = 0;
            if (it->step.verb == Verb::accept && it->step.size != 0) seen.name = it->address;
            break;
        case Verb::receive_message:
            if (seen.result >= 0) observe_message(*it, seen);
            [[fallthrough]];
        case Verb::read:
        case Verb::receive:
            if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
                const unsigned id = completion.flags >> IORING_CQE_BUFFER_SHIFT;
                seen.bytes.assign(buffers_.at(id), std::min<std::size_t>(count, 16));
            } else {
                seen.bytes = it->bytes.substr(0, count);
            }
            break;
        case Verb::stat:
            if (seen.result == 0) seen.bytes = text(it->stat);
            break;
        default: break;
    }
    seen_.push_back(std::move(seen));
}

}  // namespace ringlet::differential
