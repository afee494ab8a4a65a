// Socket: frames of a CAN bus, sent and received; raw, as candump and cansend show them.
//
//   auto bus = co_await can::Socket::open("can0");
//   co_await bus.send(can::make_frame(0x123, data));
//   for (;;) {
//       const can::Received got = co_await bus.receive();
//       if (got.is_error) log::warning("CAN: %s", got.report.is_bus_off() ? "bus off" : "error");
//       else handle(got.frame);
//   }
//
// The interface is brought up, with its bit rate, by the system (ip link, systemd-networkd), which
// takes CAP_NET_ADMIN. Several sockets, in one program or in many, share an interface; each gets
// all frames, those of the other sockets, too. Receiving and sending may run side by side, in two
// tasks; of receiving only one at a time.
#pragma once

#include <ringlet/can/frame.hpp>
#include <ringlet/io/close.hpp>
#include <ringlet/task/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ringlet::can {

// Filters of a socket, at most.
inline constexpr std::size_t filters_max = 32;

// Frames pass whose id is `id` in the bits of `mask`, of which those above the id's do not count.
struct Filter {
    std::uint32_t id = 0;
    std::uint32_t mask = 0x7ff;
    bool extended = false;  // of frames with 29 bits; else of those with 11
    bool inverted = false;  // those that do not match pass
};

struct Options {
    bool flexible = false;    // CAN FD frames are sent and received, besides the others
    bool errors = true;       // the controller's reports are received
    bool loopback = true;     // others on this machine receive what is sent
    bool receive_own = false; // and so does this socket: when the frame is on the bus
    // Frames that any of these lets pass are received; none: all. Not needed afterwards.
    std::span<const Filter> filters{};
    // What the kernel keeps until it is received, in bytes, some 700 a frame; 0: as the system has
    // it, for some 300 frames. More than net.core.rmem_max it does not grant.
    unsigned receive_bytes = 0;
};

struct Arrival;  // of the driver's own

class Socket {
public:
    // Synchronous; `co_await` gives the socket or leaves with the error.
    //
    // Errors: no_such_device: no interface of that name; address_family_not_supported: a kernel
    // without CAN; operation_not_supported with can::Detail::no_flexible_rate;
    // too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors.
    // Source: Documentation/networking/can.rst of Linux.
    static Result<Socket> open(const char* interface, const Options& options = {});

    // Waits for the next frame or report. It may be of before the last send.
    //
    // Errors: network_down, once, when the interface went down, and then no_such_device if it is
    // gone; receiving goes on when it is up again.
    // Cancellation: nothing was received, or what was is given.
    Task<Received> receive();
    // The same for many: waits for the next, then takes those that are there already, without
    // waiting, as many as there is room for. Gives how many; `into` is not empty.
    Task<std::size_t> receive(std::span<Received> into);

    // Sends one frame: into the interface's queue. While that is full, it tries again after 100 us,
    // then at longer intervals up to 10 ms: the kernel tells nobody when there is room. With
    // nobody to acknowledge the queue stays full: use a time limit. A frame that was queued may
    // still be lost if the controller then leaves the bus.
    //
    // Errors: network_down, no_such_device; operation_not_supported with
    // can::Detail::no_flexible_rate.
    // Cancellation: it was queued, or not at all.
    Task<void> send(Frame frame);

    // Frames that the kernel had no room for, as far as those that came show it: each that is
    // received tells of those lost before it.
    std::uint64_t lost() const { return lost_; }
    // Times that a send found the queue full.
    std::uint64_t held_up() const { return held_up_; }
    // As the reports that were received have it; active again once a call failed with network_down.
    BusState state() const { return state_; }

    // Ends no other await on it: let those end first. Frames in the queue are sent.
    //
    // Cancellation: it is closed in the background.
    Close close() { return Close(descriptor_); }

    bool is_open() const { return descriptor_.is_open(); }
    int descriptor() const { return descriptor_.get(); }

private:
    Socket(Descriptor descriptor, bool flexible)
        : descriptor_(std::move(descriptor)), flexible_(flexible) {}
    Received take(const Arrival& arrival);
    std::size_t take_more(std::span<Received> into);
    Error note(Error error);
    void note(const ErrorReport& report);

    Descriptor descriptor_;
    std::uint64_t lost_ = 0;
    std::uint64_t held_up_ = 0;
    std::uint32_t dropped_ = 0;  // the kernel's counter
    std::optional<Error> failed_;  // of what came after frames that were given: for the next call
    BusState state_ = BusState::active;
    bool flexible_;
};

}  // namespace ringlet::can
