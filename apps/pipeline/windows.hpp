// Windows: N records of one sensor become one result.
#pragma once

#include <record.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pipeline {

inline constexpr std::size_t sensors_max = 1024;

// What a window says about its records.
struct WindowResult {
    SensorName sensor;
    std::uint64_t count = 0;
    double min = 0;
    double max = 0;
    double mean = 0;
    double last_value = 0;
    double last_t = 0;
};

// The open windows of all sensors: a hash table of fixed size.
class Windows {
public:
    // `size`: records of one window, at least 1.
    explicit Windows(std::uint64_t size) : size_(size) {}

    enum class Added : std::uint8_t { open, complete, no_room };

    // Adds a record to its sensor's window. complete: `result` is the window, and a new one begins.
    // no_room: there are sensors_max others already.
    Added add(const Record& record, WindowResult& result);

    // Takes out one window that is not complete, in the order of the sensors' first records; empty
    // once there is none.
    std::optional<WindowResult> take_incomplete();

    // Records in windows that are not complete.
    std::uint64_t pending() const { return pending_; }
    std::size_t sensors() const { return count_; }

private:
    static constexpr std::size_t slots = 2 * sensors_max;  // a power of two, at most half full
    static constexpr std::uint16_t free_slot = 0xffff;

    std::optional<std::size_t> find(const SensorName& sensor);

    std::uint64_t size_;
    std::uint64_t pending_ = 0;
    std::size_t count_ = 0;
    std::size_t taken_ = 0;  // by take_incomplete()
    std::array<WindowResult, sensors_max> windows_;
    std::array<std::uint16_t, slots> index_ = [] {
        std::array<std::uint16_t, slots> all;
        all.fill(free_slot);
        return all;
    }();
};

}  // namespace pipeline
