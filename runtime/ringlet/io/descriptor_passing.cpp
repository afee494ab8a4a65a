// SENDMSG and RECVMSG with a control message.
#include <ringlet/io/descriptor_passing.hpp>

#include <ringlet/io/datagram.hpp>

#include <array>
#include <cstring>

namespace ringlet {
namespace {

// Room for one control message. To receive, its size is told as CMSG_LEN, not CMSG_SPACE: in the
// padding the kernel would find room for one descriptor more.
struct Control {
    static constexpr std::size_t size = CMSG_SPACE(passed_descriptors_max * sizeof(int));
    alignas(cmsghdr) std::array<std::byte, size> bytes{};
};

// A header that points to what is next to it; filled when the SQE is, since the kernel reads on
// until the operation ends.
struct Message {
    iovec bytes{};
    msghdr header{};
    Control control;

    void fill(const std::byte* data, std::size_t size, std::size_t control_size) {
        bytes = {const_cast<std::byte*>(data), size};
        header = {};
        header.msg_iov = &bytes;
        header.msg_iovlen = 1;
        if (control_size == 0) return;
        header.msg_control = control.bytes.data();
        header.msg_controllen = control_size;
    }
};

class SendWith : public OperationOf<SendWith, std::size_t> {
public:
    static constexpr const char* reason = "send_with";

    SendWith(int socket, std::span<const std::byte> bytes, std::span<const int> descriptors,
             MessageKind kind)
        : socket_(socket), kind_(kind), bytes_(bytes), descriptors_(descriptors) {}
    void prepare(io_uring_sqe& sqe) {
        if (room_.polls()) return room_.prepare(sqe, socket_);
        const bool passes = !descriptors_.empty();
        message_.fill(bytes_.data(), transfer_size(bytes_),
                      passes ? CMSG_SPACE(descriptors_.size_bytes()) : 0);
        if (passes) {
            cmsghdr* const head = CMSG_FIRSTHDR(&message_.header);
            head->cmsg_len = CMSG_LEN(descriptors_.size_bytes());
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            std::memcpy(CMSG_DATA(head), descriptors_.data(), descriptors_.size_bytes());
        }
        const bool datagram = kind_ == MessageKind::datagram;
        ::io_uring_prep_sendmsg(&sqe, socket_, &message_.header,
                                datagram ? RoomForDatagram::flags : MSG_NOSIGNAL);
    }
    bool goes_on(int result) { return kind_ == MessageKind::datagram && room_.goes_on(result); }
    std::size_t value(int result) const { return static_cast<std::size_t>(result); }

private:
    int socket_;
    MessageKind kind_;
    RoomForDatagram room_;
    std::span<const std::byte> bytes_;
    std::span<const int> descriptors_;
    Message message_;
};

// Places in Limits::descriptors; what nobody took is given back.
class Reservations {
public:
    explicit Reservations(unsigned wanted) {
        while (count_ < wanted && scheduler().reserve_descriptor())
            ++count_;
    }
    ~Reservations() {
        for (; count_ > 0; --count_)
            scheduler().release_descriptor();
    }
    Reservations(const Reservations&) = delete;
    unsigned count() const { return count_; }
    Descriptor own(int number) {
        RINGLET_ASSERT(count_ > 0);
        --count_;
        return Descriptor(number);
    }

private:
    unsigned count_ = 0;
};

class ReceiveWith : public OperationOf<ReceiveWith, void> {
public:
    static constexpr const char* reason = "receive_with";

    ReceiveWith(int socket, std::span<std::byte> into, unsigned room, MessageKind kind,
                Reservations& reserved, PassedDescriptors& out)
        : socket_(socket), room_(room), kind_(kind), into_(into), reserved_(reserved), out_(out) {}
    void prepare(io_uring_sqe& sqe) {
        message_.fill(into_.data(), transfer_size(into_),
                      room_ > 0 ? CMSG_LEN(room_ * sizeof(int)) : 0);
        // On a stream MSG_TRUNC would throw the bytes away.
        const unsigned whole = kind_ == MessageKind::datagram ? MSG_TRUNC : 0;
        ::io_uring_prep_recvmsg(&sqe, socket_, &message_.header, MSG_CMSG_CLOEXEC | whole);
    }
    void value(int result) {
        const auto whole = static_cast<std::size_t>(result);
        out_.size = std::min(whole, into_.size());
        out_.truncated = whole > into_.size();
        out_.descriptors_lost = (message_.header.msg_flags & MSG_CTRUNC) != 0;
        const cmsghdr* const head = CMSG_FIRSTHDR(&message_.header);
        if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
            return;
        }
        const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(head) + i * sizeof number, sizeof number);
            out_.descriptors.push_back(reserved_.own(number));
        }
    }

private:
    int socket_;
    unsigned room_;
    MessageKind kind_;
    std::span<std::byte> into_;
    Reservations& reserved_;
    PassedDescriptors& out_;
    Message message_;
};

}  // namespace

Task<std::size_t> send_with_descriptors(int socket, std::span<const std::byte> bytes,
                                        std::span<const int> descriptors, MessageKind kind) {
    if (descriptors.size() > passed_descriptors_max) co_await fail(std::errc::invalid_argument);
    co_return co_await SendWith(socket, bytes, descriptors, kind);
}

Task<PassedDescriptors> receive_with_descriptors(int socket, std::span<std::byte> into,
                                                 unsigned room, MessageKind kind) {
    RINGLET_ASSERT(room <= passed_descriptors_max);
    Reservations reserved(room);
    if (reserved.count() < room) {
        co_await fail(Error(std::errc::too_many_files_open, RuntimeDetail::descriptors));
    }
    PassedDescriptors out;
    co_await ReceiveWith(socket, into, room, kind, reserved, out);
    co_return out;
}

}  // namespace ringlet
