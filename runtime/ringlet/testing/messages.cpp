// RECVMSG and SENDMSG: a message's header, as recvmsg(2), sendmsg(2) and cmsg(3) tell of it.
#include <ringlet/testing/messages.hpp>

#include <ringlet/testing/operations.hpp>

#include <linux/time_types.h>

#include <algorithm>
#include <cstring>

namespace ringlet::testing {
namespace {

msghdr& user_header(const Request& request) {
    return *reinterpret_cast<msghdr*>(static_cast<std::uintptr_t>(request.sqe.addr));
}

std::span<std::byte> bytes_of(const msghdr& header) {
    if (header.msg_iovlen == 0) return {};
    return {static_cast<std::byte*>(header.msg_iov->iov_base), header.msg_iov->iov_len};
}

// One more message beside the bytes, if the caller has room for it. False if not.
bool add_control(msghdr& header, const msghdr& asked, int type, std::span<const std::byte> bytes) {
    const std::size_t used = header.msg_controllen;
    const std::size_t room = asked.msg_control == nullptr ? 0 : asked.msg_controllen - used;
    if (room < CMSG_SPACE(bytes.size())) return false;
    auto* const place = static_cast<std::byte*>(asked.msg_control) + used;
    cmsghdr head{};
    head.cmsg_len = CMSG_LEN(bytes.size());
    head.cmsg_level = SOL_SOCKET;
    head.cmsg_type = type;
    std::memcpy(place, &head, sizeof head);
    std::memcpy(place + CMSG_LEN(0), bytes.data(), bytes.size());
    header.msg_controllen = used + CMSG_SPACE(bytes.size());
    return true;
}

// What a CAN socket tells besides. False if there was no room for it.
bool add_notes(msghdr& header, const msghdr& asked, const Incoming& in) {
    bool all = true;
    if (in.at) {
        const __kernel_timespec time{.tv_sec = *in.at / 1'000'000'000,
                                     .tv_nsec = *in.at % 1'000'000'000};
        all &= add_control(header, asked, SO_TIMESTAMPNS_NEW, std::as_bytes(std::span(&time, 1)));
    }
    if (in.lost) {
        const std::uint32_t lost = *in.lost;
        all &= add_control(header, asked, SO_RXQ_OVFL, std::as_bytes(std::span(&lost, 1)));
    }
    return all;
}

// As many as the caller has room for get numbers; the rest is closed. True if some were.
bool install_rights(DescriptorTable& descriptors, msghdr& header, const msghdr& asked,
                    Rights& rights) {
    const std::size_t control = asked.msg_control == nullptr ? 0 : asked.msg_controllen;
    header.msg_controllen = 0;
    if (rights.empty()) return false;
    const std::size_t room = control < CMSG_LEN(0) ? 0 : (control - CMSG_LEN(0)) / sizeof(int);
    std::array<int, Rights::max> numbers{};
    unsigned count = 0;
    while (count < std::min<std::size_t>(room, rights.size())) {
        const int number = descriptors.install(rights[count]);
        if (number < 0) break;
        numbers[count++] = number;
    }
    const bool lost = count < rights.size();
    rights.take(count);  // the table has their references now
    if (count == 0) return lost;
    cmsghdr head{};
    head.cmsg_len = CMSG_LEN(count * sizeof(int));
    head.cmsg_level = SOL_SOCKET;
    head.cmsg_type = SCM_RIGHTS;
    std::memcpy(asked.msg_control, &head, sizeof head);
    std::memcpy(static_cast<std::byte*>(asked.msg_control) + CMSG_LEN(0), numbers.data(),
                count * sizeof(int));
    header.msg_controllen = std::min<std::size_t>(control, CMSG_SPACE(count * sizeof(int)));
    return lost;
}

}  // namespace

int Operations::copy_header(Request& request) {
    if (request.sqe.addr == 0) return -EFAULT;
    request.header = user_header(request);
    if (request.header.msg_iovlen > 1 || (request.sqe.msg_flags & MSG_WAITALL) != 0) return -EINVAL;
    const msghdr& header = request.header;
    request.address.size = 0;
    if (request.sqe.opcode == IORING_OP_RECVMSG || header.msg_name == nullptr) return 0;
    if (header.msg_namelen > sizeof request.address.storage) return -EINVAL;
    request.address.size = header.msg_namelen;
    std::memcpy(&request.address.storage, header.msg_name, header.msg_namelen);
    return 0;
}

// The descriptors that go along, looked up anew in each attempt, as the kernel does.
int Operations::collect_rights(const Request& request, Rights& rights) {
    msghdr header = request.header;
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
         each = CMSG_NXTHDR(&header, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) return -EINVAL;
        const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(each) + i * sizeof number, sizeof number);
            Object* object = world_.descriptors().at(number);
            if (object == nullptr) return -EBADF;
            if (!rights.add(*object)) return -EINVAL;
        }
    }
    return 0;
}

int Operations::send_message(Request& request) {
    std::span<const std::byte> bytes = bytes_of(request.header);
    Socket& socket = *request.object->as_socket();
    Outgoing out{.bytes = bytes.first(shorten(bytes.size(), socket.write_grain())),
                 .to = request.address.size != 0 ? &request.address : nullptr};
    if (socket.is_unix()) {  // others take no notice
        if (const int error = collect_rights(request, out.rights); error != 0) return error;
    }
    return socket.send(out);
}

int Operations::receive_message(Request& request) {
    Socket& socket = *request.object->as_socket();
    const std::size_t bytes_max = shorten(bytes_of(request.header).size(), socket.read_grain());
    return testing::receive_message(world_.descriptors(), socket, user_header(request),
                                    request.header, request.sqe.msg_flags, bytes_max);
}

int receive_message(DescriptorTable& descriptors, Socket& socket, msghdr& header,
                    const msghdr& asked, unsigned flags, std::size_t bytes_max) {
    const std::span<std::byte> bytes = bytes_of(asked);
    Incoming in{.into = bytes.first(std::min(bytes.size(), bytes_max)),
                .whole_size = (flags & MSG_TRUNC) != 0,
                .dont_wait = (flags & MSG_DONTWAIT) != 0};
    const int result = socket.receive(in);
    if (result < 0) return result;
    if (asked.msg_name != nullptr) {
        std::memcpy(asked.msg_name, &in.from.storage, std::min(asked.msg_namelen, in.from.size));
        header.msg_namelen = in.from.size;
    }
    header.msg_flags = static_cast<int>(flags & MSG_CMSG_CLOEXEC);
    header.msg_flags |= in.flags;
    if (in.truncated) header.msg_flags |= MSG_TRUNC;
    if (install_rights(descriptors, header, asked, in.rights)) header.msg_flags |= MSG_CTRUNC;
    if (!add_notes(header, asked, in)) header.msg_flags |= MSG_CTRUNC;
    return result;
}

}  // namespace ringlet::testing
