// Arbitration, transmission, and the counting of errors.
//
//   idle --1--> arbitrating --2--> on the wire --3--> idle
//   1 an interface has a frame: planned a bit later, so that all that begin in that time take part
//   2 the lowest id has won
//   3 its time is over: it has arrived, or it was destroyed and stays in its queue
#include <ringlet/testing/can_bus.hpp>

#include <ringlet/testing/world.hpp>

#include <linux/can/error.h>

#include <algorithm>

namespace ringlet::testing {
namespace {

constexpr int intermission_bits = 3;  // between frames
constexpr std::int64_t flexible_bits = 20;  // that a frame of CAN FD has besides, about

// The bits as arbitration sees them: 0 wins. Base id, RTR or SRR, IDE, rest of the id, RTR.
std::uint32_t priority_of(canid_t id) {
    const bool extended = (id & CAN_EFF_FLAG) != 0;
    const std::uint32_t remote = (id & CAN_RTR_FLAG) != 0 ? 1 : 0;
    if (!extended) return (id & CAN_SFF_MASK) << 21 | remote << 20;
    const std::uint32_t whole = id & CAN_EFF_MASK;
    return (whole >> 18) << 21 | 1U << 20 | 1U << 19 | (whole & 0x3ffff) << 1 | remote;
}

}  // namespace

// ---- CanInterface ----

CanInterface::CanInterface(CanBus& bus, const char* name)
    : bus_(bus), name_(name), index_(network().add(*this)) {
    queue_.reserve(bus.options().queue);
}

CanInterface::~CanInterface() {
    network().forget(*this);
}

CanNetwork& CanInterface::network() const {
    return bus_.world().network().can();
}

bool CanInterface::is_flexible() const {
    return bus_.options().flexible;
}

void CanInterface::set_up(bool up) {
    up_ = up;
    queue_.clear();
    off_ = false;
    send_errors_ = receive_errors_ = told_ = 0;
    if (!up) network().fail(*this, -ENETDOWN);
}

void CanInterface::restart() {
    if (!off_) return;
    off_ = false;
    send_errors_ = receive_errors_ = told_ = 0;
    report(CAN_ERR_RESTARTED);
}

// Off the bus the kernel takes frames nevertheless, and drops them.
int CanInterface::send(const CanFrame& frame, CanSocket& from) {
    if (!up_) return -ENETDOWN;
    if (off_) return 0;
    if (queue_.size() >= bus_.options().queue) return -ENOBUFS;
    queue_.push_back({.frame = frame, .from = &from});
    bus_.look();
    return 0;
}

void CanInterface::forget(const CanSocket& socket) {
    for (Queued& each : queue_) {
        if (each.from == &socket) each.from = nullptr;
    }
}

void CanInterface::sent() {
    if (send_errors_ > 0) --send_errors_;
    const Queued done = queue_.front();
    queue_.erase(queue_.begin());
    network().offer(*this, done.frame, done.from);
    tell_state();
}

void CanInterface::sending_failed(canid_t why) {
    if (bus_.options().bus_errors) report(why);
    // A passive one does not count that nobody acknowledges: else it would leave a bus alone.
    const bool alone = why == CAN_ERR_ACK && send_errors_ >= CAN_ERROR_PASSIVE_THRESHOLD;
    if (!alone) send_errors_ += 8;
    if (send_errors_ < CAN_BUS_OFF_THRESHOLD) return tell_state();
    off_ = true;
    queue_.clear();
    report(CAN_ERR_BUSOFF);
}

void CanInterface::receiving_failed() {
    receive_errors_ = std::min(receive_errors_ + 1, CAN_ERROR_PASSIVE_THRESHOLD + 7U);
    tell_state();
}

void CanInterface::tell_state() {
    const unsigned most = std::max(send_errors_, receive_errors_);
    const unsigned state = most >= CAN_ERROR_PASSIVE_THRESHOLD   ? 2
                           : most >= CAN_ERROR_WARNING_THRESHOLD ? 1
                                                                 : 0;
    if (std::exchange(told_, state) == state) return;
    const bool sends = send_errors_ >= receive_errors_;
    const std::uint8_t problems[] = {
        CAN_ERR_CRTL_ACTIVE,
        static_cast<std::uint8_t>(sends ? CAN_ERR_CRTL_TX_WARNING : CAN_ERR_CRTL_RX_WARNING),
        static_cast<std::uint8_t>(sends ? CAN_ERR_CRTL_TX_PASSIVE : CAN_ERR_CRTL_RX_PASSIVE)};
    report(CAN_ERR_CRTL, problems[state]);
}

void CanInterface::report(canid_t classes, std::uint8_t controller) {
    CanFrame frame;
    frame.wire.can_id = CAN_ERR_FLAG | classes;
    frame.wire.len = CAN_ERR_DLC;
    frame.wire.data[1] = controller;
    frame.wire.data[6] = static_cast<std::uint8_t>(std::min(send_errors_, 255U));
    frame.wire.data[7] = static_cast<std::uint8_t>(std::min(receive_errors_, 255U));
    network().offer(*this, frame, nullptr);
}

// ---- CanBus ----

CanBus::~CanBus() {
    world_.forget_calls(this);
}

void CanBus::look() {
    if (!planned_) plan_arbitration(1);
}

void CanBus::plan_arbitration(int bits) {
    planned_ = true;
    const Nanoseconds span(bits * std::int64_t{1'000'000'000} / options_.bitrate);
    world_.call_at(later(world_.now(), span), arbitrate, this);
}

void CanBus::arbitrate(void* bus) {
    static_cast<CanBus*>(bus)->arbitrate();
}
void CanBus::finish(void* bus) {
    static_cast<CanBus*>(bus)->finish();
}

void CanBus::arbitrate() {
    planned_ = false;
    sender_ = nullptr;
    for (CanInterface& each : interfaces_) {
        if (!each.takes_part() || each.queue_.empty()) continue;
        const auto wins = [&] {
            return priority_of(each.queue_.front().frame.wire.can_id) <
                   priority_of(sender_->queue_.front().frame.wire.can_id);
        };
        if (sender_ == nullptr || wins()) sender_ = &each;
    }
    if (sender_ == nullptr) return;
    planned_ = true;
    const Nanoseconds span = time_of(sender_->queue_.front().frame);
    world_.call_at(later(world_.now(), span), finish, this);
}

void CanBus::finish() {
    CanInterface& sender = *sender_;
    // It may have gone down meanwhile.
    if (sender.takes_part() && !sender.queue_.empty()) {
        const bool alone = !has_others(sender);
        if (alone || meets_error()) {
            ++errors_;
            for (CanInterface& each : interfaces_) {
                if (&each != &sender && each.takes_part()) each.receiving_failed();
            }
            sender.sending_failed(alone ? CAN_ERR_ACK : CAN_ERR_PROT | CAN_ERR_BUSERROR);
        } else {
            ++carried_;
            const CanFrame frame = sender.queue_.front().frame;
            for (CanInterface& each : interfaces_) {
                if (&each == &sender || !each.takes_part()) continue;
                if (each.receive_errors_ > 0) --each.receive_errors_;
                each.tell_state();
                each.network().offer(each, frame, nullptr);
            }
            sender.sent();
        }
    }
    plan_arbitration(intermission_bits);
}

bool CanBus::has_others(const CanInterface& sender) const {
    return std::ranges::any_of(interfaces_, [&](const CanInterface& each) {
        return &each != &sender && each.takes_part();
    });
}

bool CanBus::meets_error() {
    if (to_destroy_ > 0) {
        --to_destroy_;
        return true;
    }
    return options_.noise != 0 && world_.random().between(1, 1000) <= options_.noise;
}

// Without the stuff bits, which depend on what is sent.
Nanoseconds CanBus::time_of(const CanFrame& frame) const {
    const bool extended = (frame.wire.can_id & CAN_EFF_FLAG) != 0;
    const bool remote = (frame.wire.can_id & CAN_RTR_FLAG) != 0;
    const bool fast = frame.is_flexible() && (frame.wire.flags & CANFD_BRS) != 0;
    const std::int64_t data = remote ? 0 : 8 * std::int64_t{frame.wire.len};
    const std::int64_t others = (extended ? 67 : 47) + (frame.is_flexible() ? flexible_bits : 0);
    const std::int64_t second = 1'000'000'000;
    return Nanoseconds(others * second / options_.bitrate +
                       data * second / (fast ? options_.data_bitrate : options_.bitrate));
}

}  // namespace ringlet::testing
