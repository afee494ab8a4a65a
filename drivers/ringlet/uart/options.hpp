// What a serial line shall be.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace ringlet::uart {

enum class Parity : std::uint8_t { none, even, odd, mark, space };

enum class FlowControl : std::uint8_t {
    none,
    hardware,  // RTS and CTS
    software,  // XON and XOFF, which then are no data
};

// What becomes of a byte with a wrong parity or frame, and of a break.
enum class BadBytes : std::uint8_t {
    drop,
    keep,  // as it was received; a break is a zero
    zero,  // each is read as a zero, where text has none
};

// The driver of a two-wire bus is on while something is sent: the kernel does it, by RTS.
struct Rs485 {
    bool rts_on_send = true;      // RTS's level while sending; otherwise it has the other one
    bool receive_own = false;     // what is sent is received, too
    // From RTS to the first bit, and from the last bit to RTS; not negative, up to 100 ms.
    std::chrono::milliseconds delay_before{0};
    std::chrono::milliseconds delay_after{0};
};

struct Options {
    unsigned baud = 115'200;  // bits a second, any; as near as the hardware comes to it
    unsigned data_bits = 8;   // 5 to 8
    unsigned stop_bits = 1;   // 1 or 2
    Parity parity = Parity::none;
    FlowControl flow_control = FlowControl::none;
    BadBytes bad_bytes = BadBytes::drop;
    std::optional<Rs485> rs485{};  // else as it is set
    // Nobody else opens it meanwhile, the superuser apart: two readers would share the bytes.
    bool exclusive = true;
};

}  // namespace ringlet::uart
