// What the kernel keeps of a serial line, and how it is changed: the requests behind Uart.
//
// The kernel's own structures are hidden here: <asm/termbits.h>, which alone has any speed, cannot
// stand beside the <termios.h> of the C library.
#pragma once

#include <ringlet/ring/system.hpp>
#include <ringlet/uart/options.hpp>

#include <array>

namespace ringlet::uart {

// How many of each since the line was opened, as its kernel driver counts them.
struct Counters {
    std::uint32_t received = 0;  // bytes
    std::uint32_t sent = 0;
    std::uint32_t parity = 0;  // bytes whose parity was wrong
    std::uint32_t framing = 0;  // bytes without a stop bit: another speed, noise
    std::uint32_t breaks = 0;
    std::uint32_t overruns = 0;  // times that the hardware's buffer was full, and bytes were lost
    std::uint32_t buffer_overruns = 0;  // the same of the kernel's

    friend Counters operator-(const Counters& now, const Counters& before);
    friend bool operator==(const Counters&, const Counters&) = default;
};

class Port {
public:
    Port(System& system, int descriptor) : system_(system), descriptor_(descriptor) {}

    // All that a program changes, to be put back.
    struct Settings {
        std::array<std::uint32_t, 11> termios{};  // termios2
        std::array<std::uint32_t, 8> rs485{};     // serial_rs485
        bool has_rs485 = false;
    };
    Result<Settings> settings() const;
    // Errors are passed over: of a line that was hung up nothing can be set.
    void put_back(const Settings& settings) const;

    // Nobody else may open the line from now on. False: it was so already, for somebody else.
    Result<bool> keep_others_out() const;
    void let_others_in() const;

    // Raw mode, with these but `exclusive`. Gives the speed that the hardware has made of it.
    Result<unsigned> set(const Options& options) const;
    Result<Counters> counters() const;

    // Bytes that the kernel has still to send.
    Result<unsigned> unsent() const;
    // False while the hardware still sends; true, too, where it does not say.
    bool has_sent_all() const;
    Result<void> set_break(bool on) const;
    // Throws away what was not read.
    Result<void> discard_received() const;
    // Throws away what was not sent.
    void discard_unsent() const;

private:
    template <class T>
    Result<int> ask(unsigned long request, T& object) const {
        return system_.control_object(descriptor_, request, object);
    }

    System& system_;
    int descriptor_;
};

}  // namespace ringlet::uart
