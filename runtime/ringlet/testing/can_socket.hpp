// CanSocket: a raw socket of the simulated machine's CAN interfaces.
//
// It answers as the kernel's: Documentation/networking/can.rst. What there is no room for is lost,
// and counted: each frame that was queued later tells how many (SO_RXQ_OVFL).
#pragma once

#include <ringlet/testing/socket.hpp>
#include <ringlet/testing/virtual_clock.hpp>

#include <linux/can.h>
#include <poll.h>

#include <vector>

namespace ringlet::testing {

class CanInterface;

// A frame on its way: `size` is CAN_MTU, or CANFD_MTU for CAN FD.
struct CanFrame {
    canfd_frame wire{};
    std::size_t size = CAN_MTU;

    bool is_flexible() const { return size == CANFD_MTU; }
    bool is_error() const { return (wire.can_id & CAN_ERR_FLAG) != 0; }
};

class CanSocket final : public Socket {
public:
    // `frames`: that wait until they are received.
    CanSocket(const VirtualClock& clock, unsigned frames);

    void open();
    int attach(CanInterface& interface);
    // The interface is gone, or down: the next call says so.
    void fail(int error) { error_ = error; }
    void detach() { interface_ = nullptr; }
    const CanInterface* interface() const { return interface_; }

    // A frame comes by; `sender` is the socket of this machine that sent it, or null.
    void offer(const CanFrame& frame, const CanSocket* sender);

    int set_option(int level, int name, int value);
    int set_option_bytes(int level, int name, std::span<const std::byte> value);

    int receive(Incoming& in) override;
    int send(Outgoing& out) override;
    int shutdown(int) override { return -EOPNOTSUPP; }
    int control(unsigned long request, std::uintptr_t argument) override;
    unsigned ready() const override;
    CanSocket* as_can() override { return this; }
    bool has_peer() const override { return false; }
    void drop_received() override { held_ = 0; }
    std::size_t read_grain() const override { return SIZE_MAX; }  // never shortened
    std::size_t write_grain() const override { return SIZE_MAX; }

    // What interfaces there are; set once, by CanNetwork.
    class CanNetwork* network = nullptr;

private:
    static constexpr std::size_t filters_max = 32;

    struct Waiting {
        CanFrame frame;
        Instant at = 0;
        std::uint32_t lost = 0;
        int flags = 0;
    };

    void closed() override;
    bool lets_pass(const CanFrame& frame) const;

    const VirtualClock& clock_;
    std::vector<Waiting> queue_;
    std::size_t first_ = 0;
    std::size_t held_ = 0;
    std::uint32_t lost_ = 0;
    CanInterface* interface_ = nullptr;
    std::array<can_filter, filters_max> filters_{};
    std::size_t filter_count_ = 0;
    can_err_mask_t errors_ = 0;
    bool flexible_ = false;
    bool loopback_ = true;
    bool receives_own_ = false;
    bool tells_time_ = false;
    bool tells_lost_ = false;
};

}  // namespace ringlet::testing
