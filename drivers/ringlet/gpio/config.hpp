// What lines shall be, and how the kernel is told.
#pragma once

#include <ringlet/base/board_pin.hpp>
#include <ringlet/work/offload.hpp>

#include <linux/gpio.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

namespace ringlet::gpio {

// Lines of one request, at most: the kernel's bound.
inline constexpr std::size_t lines_max = GPIO_V2_LINES_MAX;

// Which changes are events: to active is rising, to inactive falling, whatever the level is.
enum class Edges : std::uint8_t { none, rising, falling, both };

enum class Drive : std::uint8_t {
    push_pull,
    open_drain,   // pulls to low, or lets go
    open_source,  // pulls to high, or lets go
};

struct InputOptions {
    Edges edges = Edges::none;
    // A change counts once it has stayed so long; the kernel does it where the chip cannot.
    std::chrono::microseconds debounce{0};
    // Events that the kernel keeps until they are read; 0: 16 for each line. When one more comes,
    // the oldest is lost, and counted by Lines::lost().
    unsigned events = 0;
    // Who has the line, as gpioinfo(1) shows it; up to 31 bytes.
    const char* consumer = "ringlet";
    // Of a chip that sits on a bus (an expander on I2C), so that each request takes milliseconds:
    // its requests run there. Outlives the lines. Null: the processor's own, asked on the loop.
    Lane* lane = nullptr;
};

struct OutputOptions {
    // From the first moment; bit i is the i-th line, and set means active.
    std::uint64_t values = 0;
    Drive drive = Drive::push_pull;
    const char* consumer = "ringlet";  // as of inputs
    Lane* lane = nullptr;              // as of inputs
};

// What each line keeps whatever else is changed: level and bias.
class PinTraits {
public:
    PinTraits() = default;
    explicit PinTraits(std::span<const BoardPin> pins);

    std::size_t size() const { return size_; }
    std::uint64_t all() const { return ~std::uint64_t{0} >> (lines_max - size_); }
    ::gpio_v2_line_config config(const InputOptions& options) const;
    ::gpio_v2_line_config config(const OutputOptions& options) const;

private:
    ::gpio_v2_line_config config(std::uint64_t common_flags) const;

    std::array<std::uint8_t, lines_max> kinds_{};  // of each line: bias, and whether it is inverted
    std::uint8_t size_ = 0;
};

}  // namespace ringlet::gpio
