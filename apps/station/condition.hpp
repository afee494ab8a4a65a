// Condition: which parts of the station are ill; for the log, the LED and the service manager.
#pragma once

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/clock.hpp>
#include <ringlet/base/error.hpp>
#include <ringlet/sync/event.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace station {

enum class Part : std::uint8_t { sensor, button, serial, can, store, server, led };
inline constexpr std::size_t parts_count = 7;

const char* name(Part part);

// Of a part that is used in several ways each is told by itself: it is well if all are.
enum class Use : std::uint8_t { any, writing, reading, marking };

// After which a device that was ill is tried again.
inline constexpr ringlet::Nanoseconds before_next_try = std::chrono::seconds(1);

// A part of which nobody has said anything is well.
class Condition {
public:
    // Logged when it is news of the part as a whole.
    void note_ill(Part part, ringlet::Error why, Use use = Use::any);
    void note_well(Part part, Use use = Use::any);

    bool all_well() const;
    // "all well", or "ill: sensor, server".
    void append_to(ringlet::TextBuffer& text) const;

    // Set when something has changed; to be cleared by who waits for it.
    ringlet::Event& changed() { return changed_; }

private:
    std::array<std::uint8_t, parts_count> ill_{};  // a bit for each use
    ringlet::Event changed_;
};

}  // namespace station
