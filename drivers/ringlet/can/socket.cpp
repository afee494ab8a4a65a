// The socket's options, and what comes along with a frame.
#include <ringlet/can/socket.hpp>

#include <ringlet/can/error.hpp>
#include <ringlet/flow/backoff.hpp>
#include <ringlet/io/datagram.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <linux/time_types.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>
#include <utility>

namespace ringlet::can {

// What a receive brings, as it stands in the messages beside the frame.
struct Arrival {
    canfd_frame frame{};
    std::size_t size = 0;
    int flags = 0;  // of the message
    Instant at = 0;
    std::uint32_t dropped = 0;  // so far; 0 where nothing is told
};

namespace {

template <class T>
T read_as(cmsghdr* message) {
    T value{};
    std::memcpy(&value, CMSG_DATA(message), sizeof value);
    return value;
}

// A frame's header, and room for it.
class Message {
public:
    msghdr& prepare() {
        arrival_ = {};
        bytes_ = {&arrival_.frame, sizeof arrival_.frame};
        header_ = {};
        header_.msg_iov = &bytes_;
        header_.msg_iovlen = 1;
        header_.msg_control = control_;
        header_.msg_controllen = sizeof control_;
        return header_;
    }
    // What has come, a frame of `size`.
    const Arrival& read(std::size_t size) {
        arrival_.size = size;
        arrival_.flags = header_.msg_flags;
        for (cmsghdr* each = CMSG_FIRSTHDR(&header_); each != nullptr;
             each = CMSG_NXTHDR(&header_, each)) {
            if (each->cmsg_level != SOL_SOCKET) continue;
            if (each->cmsg_type == SO_RXQ_OVFL) arrival_.dropped = read_as<std::uint32_t>(each);
            if (each->cmsg_type == SO_TIMESTAMPNS_NEW) {
                const auto time = read_as<__kernel_timespec>(each);
                arrival_.at = later(time.tv_nsec, std::chrono::seconds(time.tv_sec));
            }
        }
        return arrival_;
    }

private:
    iovec bytes_{};
    msghdr header_{};
    Arrival arrival_;
    alignas(cmsghdr) std::byte control_[CMSG_SPACE(sizeof(__kernel_timespec)) +
                                        CMSG_SPACE(sizeof(std::uint32_t))];
};

class ReceiveFrame : public OperationOf<ReceiveFrame, Arrival> {
public:
    static constexpr const char* reason = "can.receive";

    explicit ReceiveFrame(int descriptor) : descriptor_(descriptor) {}
    void prepare(io_uring_sqe& sqe) {
        ::io_uring_prep_recvmsg(&sqe, descriptor_, &message_.prepare(), 0);
    }
    Arrival value(int result) { return message_.read(static_cast<std::size_t>(result)); }

private:
    int descriptor_;
    Message message_;
};

Frame frame_of(const canfd_frame& wire, bool flexible) {
    Frame frame;
    frame.extended = (wire.can_id & CAN_EFF_FLAG) != 0;
    frame.remote = (wire.can_id & CAN_RTR_FLAG) != 0;
    frame.id = wire.can_id & (frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK);
    frame.flexible = flexible;
    frame.fast = flexible && (wire.flags & CANFD_BRS) != 0;
    frame.size = std::min<std::uint8_t>(wire.len, flexible ? CANFD_MAX_DLEN : CAN_MAX_DLEN);
    std::memcpy(frame.data.data(), wire.data, frame.size);
    return frame;
}

canfd_frame wire_of(const Frame& frame) {
    canfd_frame wire{};
    wire.can_id = frame.id;
    if (frame.extended) wire.can_id |= CAN_EFF_FLAG;
    if (frame.remote) wire.can_id |= CAN_RTR_FLAG;
    wire.len = frame.size;
    if (frame.fast) wire.flags = CANFD_BRS;
    std::memcpy(wire.data, frame.data.data(), frame.size);
    return wire;
}

ErrorReport report_of(const canfd_frame& wire) {
    ErrorReport report{.classes = wire.can_id & CAN_ERR_MASK, .details = {}};
    std::memcpy(report.details.data(), wire.data, report.details.size());
    return report;
}

// Only bits of the id: a mask's others are flags, and with CAN_ERR_FLAG no data would pass.
can_filter filter_of(const Filter& filter) {
    const canid_t bits = filter.extended ? CAN_EFF_MASK : CAN_SFF_MASK;
    can_filter wire{};
    wire.can_id = (filter.id & bits) | (filter.extended ? CAN_EFF_FLAG : 0);
    if (filter.inverted) wire.can_id |= CAN_INV_FILTER;
    wire.can_mask = (filter.mask & bits) | CAN_EFF_FLAG;
    return wire;
}

Result<void> set_filters(System& system, int descriptor, std::span<const Filter> filters) {
    RINGLET_ASSERT(filters.size() <= filters_max);
    std::array<can_filter, filters_max> wire;
    std::ranges::transform(filters, wire.begin(), filter_of);
    return system.set_option_bytes(descriptor, SOL_CAN_RAW, CAN_RAW_FILTER,
                                   std::as_bytes(std::span(wire).first(filters.size())));
}

Result<void> set_options(System& system, int descriptor, const Options& options) {
    struct Setting {
        int level;
        int name;
        int value;
    };
    const Setting settings[] = {
        {SOL_SOCKET, SO_TIMESTAMPNS_NEW, 1},
        {SOL_SOCKET, SO_RXQ_OVFL, 1},
        {SOL_CAN_RAW, CAN_RAW_ERR_FILTER, options.errors ? int{CAN_ERR_MASK} : 0},
        {SOL_CAN_RAW, CAN_RAW_LOOPBACK, options.loopback ? 1 : 0},
        {SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, options.receive_own ? 1 : 0},
        {SOL_CAN_RAW, CAN_RAW_FD_FRAMES, options.flexible ? 1 : 0},
    };
    for (const auto& [level, name, value] : settings) {
        const auto set = system.set_option(descriptor, level, name, value);
        if (!set) return set;
    }
    if (options.receive_bytes != 0) {
        const auto set = system.set_option(descriptor, SOL_SOCKET, SO_RCVBUF,
                                           static_cast<int>(options.receive_bytes));
        if (!set) return set;
    }
    if (options.filters.empty()) return {};
    return set_filters(system, descriptor, options.filters);
}

Result<void> bind(System& system, int descriptor, const char* interface, bool flexible) {
    ifreq request{};
    if (std::strlen(interface) >= sizeof request.ifr_name) {
        return std::unexpected(Error::kernel(ENODEV));
    }
    std::strcpy(request.ifr_name, interface);
    const auto found = system.control_object(descriptor, SIOCGIFINDEX, request);
    if (!found) return std::unexpected(found.error());
    const int index = request.ifr_ifindex;
    const auto told = system.control_object(descriptor, SIOCGIFMTU, request);
    if (!told) return std::unexpected(told.error());
    if (flexible && request.ifr_mtu < static_cast<int>(CANFD_MTU)) {
        return std::unexpected(error_of(Detail::no_flexible_rate));
    }
    sockaddr_can name{};
    name.can_family = AF_CAN;
    name.can_ifindex = index;
    SocketAddress address;
    address.size = sizeof name;
    std::memcpy(&address.storage, &name, sizeof name);
    return system.bind(descriptor, address);
}

// Of a socket whose interface is gone the kernel says so by ENXIO, if something is sent.
Error error_of_send(Error error) {
    return error == std::errc::no_such_device_or_address ? Error::kernel(ENODEV) : error;
}

}  // namespace

Result<Socket> Socket::open(const char* interface, const Options& options) {
    auto opened = open_socket(AF_CAN, SOCK_RAW, CAN_RAW);
    if (!opened) return std::unexpected(opened.error());
    System& system = scheduler().system();
    const auto set = set_options(system, opened->get(), options);
    if (!set) return std::unexpected(set.error());
    const auto bound = bind(system, opened->get(), interface, options.flexible);
    if (!bound) return std::unexpected(bound.error());
    return Socket(std::move(*opened), options.flexible);
}

Task<Received> Socket::receive() {
    if (failed_) co_await fail(*std::exchange(failed_, std::nullopt));
    const auto arrival = co_await attempt(ReceiveFrame(descriptor()));
    if (!arrival) co_await fail(note(arrival.error()));
    co_return take(*arrival);
}

Task<std::size_t> Socket::receive(std::span<Received> into) {
    RINGLET_ASSERT(!into.empty());
    const Received first = co_await receive();
    into[0] = first;
    co_return 1 + take_more(into.subspan(1));
}

std::size_t Socket::take_more(std::span<Received> into) {
    System& system = scheduler().system();
    std::size_t count = 0;
    Message message;
    for (; count < into.size(); ++count) {
        const auto size = system.receive_now(descriptor(), message.prepare());
        if (!size) {
            const bool empty = size.error() == std::errc::resource_unavailable_try_again;
            if (!empty) failed_ = note(size.error());  // the kernel tells it once
            break;
        }
        into[count] = take(message.read(*size));
    }
    return count;
}

Received Socket::take(const Arrival& arrival) {
    lost_ += arrival.dropped != 0 ? arrival.dropped - dropped_ : 0;
    dropped_ = arrival.dropped != 0 ? arrival.dropped : dropped_;
    Received received;
    received.at = arrival.at;
    received.from_here = (arrival.flags & MSG_DONTROUTE) != 0;
    received.own = (arrival.flags & MSG_CONFIRM) != 0;
    received.is_error = (arrival.frame.can_id & CAN_ERR_FLAG) != 0;
    if (received.is_error) {
        received.report = report_of(arrival.frame);
        note(received.report);
    } else {
        received.frame = frame_of(arrival.frame, arrival.size == CANFD_MTU);
    }
    return received;
}

Task<void> Socket::send(Frame frame) {
    RINGLET_ASSERT(frame.size <= (frame.flexible ? frame_bytes_max : 8));
    // Cut to 11 bits it would be another's.
    RINGLET_ASSERT(frame.id <= (frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK));
    constexpr std::chrono::microseconds shortest(100);
    constexpr std::chrono::milliseconds longest(10);
    if (frame.flexible && !flexible_) co_await fail(error_of(Detail::no_flexible_rate));
    const canfd_frame wire = wire_of(frame);
    const auto bytes =
        std::as_bytes(std::span(&wire, 1)).first(frame.flexible ? CANFD_MTU : CAN_MTU);
    for (unsigned times = 0;; ++times) {
        const auto sent = co_await attempt(SendDatagram(descriptor(), bytes));
        if (sent) co_return;
        const Error error = note(sent.error());
        if (error != std::errc::no_buffer_space) co_await fail(error_of_send(error));
        ++held_up_;
        co_await sleep(doubled(shortest, times, longest));
    }
}

// A controller that is brought up begins anew, and reports nothing then.
Error Socket::note(Error error) {
    if (error == std::errc::network_down) state_ = BusState::active;
    return error;
}

void Socket::note(const ErrorReport& report) {
    const unsigned problem = report.details[1];
    const bool of_controller = (report.classes & CAN_ERR_CRTL) != 0;
    if (report.is_restart()) state_ = BusState::active;
    if (of_controller && (problem & CAN_ERR_CRTL_ACTIVE) != 0) state_ = BusState::active;
    if (of_controller && (problem & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING)) != 0) {
        state_ = BusState::warning;
    }
    if (of_controller && (problem & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE)) != 0) {
        state_ = BusState::passive;
    }
    if (report.is_bus_off()) state_ = BusState::off;
}

}  // namespace ringlet::can
