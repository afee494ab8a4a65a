// The queue of a CAN socket and its options.
#include <ringlet/testing/can_socket.hpp>

#include <ringlet/testing/can_bus.hpp>
#include <ringlet/testing/can_network.hpp>
#include <ringlet/testing/character_device.hpp>

#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>

namespace ringlet::testing {
namespace {

// Of a frame that is no report of an error: the kernel keeps filters for those apart.
bool matches(const can_filter& filter, canid_t id) {
    if ((filter.can_mask & CAN_ERR_FLAG) != 0) return false;
    const canid_t wanted = filter.can_id & ~CAN_INV_FILTER;
    const bool same = (id & filter.can_mask) == (wanted & filter.can_mask);
    return same != ((filter.can_id & CAN_INV_FILTER) != 0);
}

}  // namespace

CanSocket::CanSocket(const VirtualClock& clock, unsigned frames)
    : Socket(SOCK_RAW), clock_(clock), queue_(frames) {}

void CanSocket::open() {
    start_anew(AF_CAN);
    first_ = held_ = 0;
    lost_ = 0;
    interface_ = nullptr;
    filters_[0] = {};  // all
    filter_count_ = 1;
    errors_ = 0;
    flexible_ = receives_own_ = tells_time_ = tells_lost_ = false;
    loopback_ = true;
}

int CanSocket::attach(CanInterface& interface) {
    interface_ = &interface;
    if (!interface.is_up()) error_ = -ENETDOWN;
    return 0;
}

bool CanSocket::lets_pass(const CanFrame& frame) const {
    if (frame.is_error()) return (frame.wire.can_id & errors_) != 0;
    if (frame.is_flexible() && !flexible_) return false;
    return std::any_of(filters_.begin(), filters_.begin() + static_cast<int>(filter_count_),
                       [&](const can_filter& each) { return matches(each, frame.wire.can_id); });
}

void CanSocket::offer(const CanFrame& frame, const CanSocket* sender) {
    if (sender == this && !receives_own_) return;
    if (sender != nullptr && !sender->loopback_) return;
    if (!lets_pass(frame)) return;
    if (held_ == queue_.size()) {
        ++lost_;
        return;
    }
    Waiting& waiting = queue_[(first_ + held_++) % queue_.size()];
    waiting = {.frame = frame, .at = clock_.now(Clock::realtime), .lost = lost_, .flags = 0};
    if (sender != nullptr) waiting.flags |= MSG_DONTROUTE;
    if (sender == this) waiting.flags |= MSG_CONFIRM;
}

int CanSocket::receive(Incoming& in) {
    if (error_ != 0) return take_error();
    if (held_ == 0) return would_block;
    const Waiting& waiting = queue_[first_];
    first_ = (first_ + 1) % queue_.size();
    --held_;
    const std::size_t count = std::min(waiting.frame.size, in.into.size());
    std::memcpy(in.into.data(), &waiting.frame.wire, count);
    in.truncated = waiting.frame.size > count;
    in.flags = waiting.flags;
    if (tells_time_) in.at = waiting.at;
    if (tells_lost_ && waiting.lost != 0) in.lost = waiting.lost;
    return static_cast<int>(in.whole_size ? waiting.frame.size : count);
}

int CanSocket::send(Outgoing& out) {
    if (error_ != 0) return take_error();
    if (interface_ == nullptr) return -ENXIO;
    const std::size_t size = out.bytes.size();
    const bool flexible = size == CANFD_MTU && flexible_ && interface_->is_flexible();
    if (size != CAN_MTU && !flexible) return -EINVAL;
    CanFrame frame{.wire = {}, .size = size};
    std::memcpy(&frame.wire, out.bytes.data(), size);
    const int error = interface_->send(frame, *this);
    return error == 0 ? static_cast<int>(size) : error;
}

unsigned CanSocket::ready() const {
    unsigned events = POLLOUT | POLLWRNORM;
    if (held_ > 0) events |= POLLIN | POLLRDNORM;
    return error_ != 0 ? events | POLLERR : events;
}

void CanSocket::closed() {
    if (interface_ != nullptr) interface_->forget(*this);
    interface_ = nullptr;
}

int CanSocket::set_option(int level, int name, int value) {
    const bool on = value != 0;
    if (level == SOL_SOCKET) {
        switch (name) {
            case SO_TIMESTAMPNS_NEW: tells_time_ = on; return 0;
            case SO_RXQ_OVFL: tells_lost_ = on; return 0;
            case SO_RCVBUF:
            case SO_SNDBUF: return 0;
            default: return -ENOPROTOOPT;
        }
    }
    if (level != SOL_CAN_RAW) return -ENOPROTOOPT;
    switch (name) {
        case CAN_RAW_ERR_FILTER: errors_ = static_cast<can_err_mask_t>(value); return 0;
        case CAN_RAW_LOOPBACK: loopback_ = on; return 0;
        case CAN_RAW_RECV_OWN_MSGS: receives_own_ = on; return 0;
        case CAN_RAW_FD_FRAMES: flexible_ = on; return 0;
        default: return -ENOPROTOOPT;
    }
}

int CanSocket::set_option_bytes(int level, int name, std::span<const std::byte> value) {
    if (level != SOL_CAN_RAW || name != CAN_RAW_FILTER) return -ENOPROTOOPT;
    if (value.size() % sizeof(can_filter) != 0) return -EINVAL;
    if (value.size() > sizeof filters_) return -EINVAL;
    filter_count_ = value.size() / sizeof(can_filter);
    if (!value.empty()) std::memcpy(filters_.data(), value.data(), value.size());
    return 0;
}

int CanSocket::control(unsigned long request, std::uintptr_t argument) {
    if (request != SIOCGIFINDEX && request != SIOCGIFMTU) return -ENOTTY;
    auto& asked = pointed_at<ifreq>(argument);
    const CanInterface* const found = network->find(asked.ifr_name);
    if (found == nullptr) return -ENODEV;
    if (request == SIOCGIFINDEX) {
        asked.ifr_ifindex = found->index();
    } else {
        asked.ifr_mtu = static_cast<int>(found->is_flexible() ? CANFD_MTU : CAN_MTU);
    }
    return 0;
}

}  // namespace ringlet::testing
