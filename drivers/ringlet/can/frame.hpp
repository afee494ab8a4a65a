// Frame: what is sent on a CAN bus. Received: what comes from it: a frame, or a report of errors.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet::can {

inline constexpr std::size_t frame_bytes_max = 64;  // of CAN FD; 8 without

struct Frame {
    // 11 bits, or 29 if it is extended; more are not sent: send() asserts it. The lower goes first.
    std::uint32_t id = 0;
    bool extended = false;   // 29 bits
    bool remote = false;     // asks for a frame; carries none
    bool flexible = false;   // CAN FD
    bool fast = false;       // of CAN FD: the data at the second bit rate
    // Of the data. CAN FD has 0 to 8, 12, 16, 20, 24, 32, 48 and 64: others arrive as the next
    // larger, filled with zeros.
    std::uint8_t size = 0;
    std::array<std::byte, frame_bytes_max> data{};

    std::span<const std::byte> bytes() const { return std::span(data).first(size); }
    friend bool operator==(const Frame& one, const Frame& other) {
        return one.id == other.id && one.extended == other.extended &&
               one.remote == other.remote && one.flexible == other.flexible &&
               std::ranges::equal(one.bytes(), other.bytes());
    }
};

// A frame with that id, of 11 bits, and that data, up to 8 bytes.
inline Frame make_frame(std::uint32_t id, std::span<const std::byte> data) {
    RINGLET_ASSERT(data.size() <= 8);
    Frame frame;
    frame.id = id;
    frame.size = static_cast<std::uint8_t>(data.size());
    std::ranges::copy(data, frame.data.begin());
    return frame;
}

// How much a controller still takes part. It counts errors, and leaves the bus when there are many.
enum class BusState : std::uint8_t {
    active,
    warning,  // 96 errors
    passive,  // 128: it lets others' frames be
    off,      // 256: it neither sends nor receives, until it is restarted
};

// What a controller reports of errors: the kernel's <linux/can/error.h>.
struct ErrorReport {
    std::uint32_t classes = 0;  // CAN_ERR_*
    std::array<std::uint8_t, 8> details{};

    bool is_bus_off() const { return (classes & 0x40) != 0; }
    bool is_restart() const { return (classes & 0x100) != 0; }
    // Nobody else is on the bus, or the wire is broken.
    bool is_without_acknowledgement() const { return (classes & 0x20) != 0; }
    bool is_lost_arbitration() const { return (classes & 0x02) != 0; }
    // The controller's own buffer was full: frames are lost that the kernel does not count.
    bool is_controller_overflow() const { return (classes & 0x04) != 0 && (details[1] & 1) != 0; }
    // Where it tells them.
    unsigned send_errors() const { return details[6]; }
    unsigned receive_errors() const { return details[7]; }
};

struct Received {
    Frame frame;               // empty if it is a report
    ErrorReport report;
    bool is_error = false;     // it is a report of errors
    bool from_here = false;    // sent by a program on this machine
    bool own = false;          // sent on this very socket
    Instant at = 0;            // on Clock::realtime, when the kernel got it
};

}  // namespace ringlet::can
