// Window: what came in a span of time, by channel; and a batch, the text that is made of it.
#pragma once

#include <reading.hpp>

#include <ringlet/base/clock.hpp>
#include <ringlet/base/static_vector.hpp>
#include <ringlet/base/units.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace station {

using namespace ringlet::literals;

inline constexpr std::size_t name_bytes_max = 64;  // of the station
inline constexpr std::size_t channels_max = 32;
// Of a batch, for the most channels with the longest numbers.
inline constexpr std::size_t batch_bytes_max = 8_KiB - 64;

struct Channel {
    ChannelName name;
    std::uint64_t count = 0;
    double min = 0;
    double max = 0;
    double sum = 0;
    double last = 0;
};

// What was lost on the way, since the station began.
struct Losses {
    std::uint64_t bad_lines = 0;   // of the serial line, those too long among them
    std::uint64_t line_errors = 0; // bytes with a wrong parity or frame, and overruns
    std::uint64_t bad_frames = 0;  // of the CAN bus: no value in them
    std::uint64_t can_frames = 0;  // that the kernel had no room for
    std::uint64_t edges = 0;       // of the button, the same
    std::uint64_t channels = 0;    // readings of more than channels_max channels
    std::uint64_t batches = 0;     // not sent yet when the store was full
    std::uint64_t refused = 0;     // batches that the server will never take
};

class Window {
public:
    // False: it is of one channel too many, and not taken.
    bool add(const Reading& reading);
    // Adds what an earlier window holds. Gives how many readings were of a channel too many.
    std::uint64_t add_earlier(const Window& earlier);
    void clear() { channels_.clear(); }

    bool is_empty() const { return channels_.empty(); }
    std::span<const Channel> channels() const { return {channels_.begin(), channels_.size()}; }

private:
    Channel* find_or_make(const ChannelName& name);

    ringlet::StaticVector<Channel, channels_max> channels_;
};

// What stands over a batch.
struct BatchHead {
    std::string_view station;
    std::uint64_t sequence = 0;      // from 1, one more each
    ringlet::Instant ended = 0;      // of the window; Clock::realtime
    ringlet::Nanoseconds length{0};  // of the window
    std::string_view condition;      // of the station, in words
};

// One JSON object, a line, in `memory` of batch_bytes_max:
//   {"station":"attic","sequence":7,"time_ms":1764000000000,"seconds":10,"condition":"all well",
//    "channels":{"temperature":{"count":10,"min":20.5,"max":21,"mean":20.7,"last":21}},
//    "lost":{...}}
//
// The name has up to name_bytes_max.
std::string_view write_batch(std::span<char, batch_bytes_max> memory, const BatchHead& head,
                             const Window& window, const Losses& losses);

}  // namespace station
