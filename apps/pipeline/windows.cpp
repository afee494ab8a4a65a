// Aggregation.
#include <windows.hpp>

#include <algorithm>

namespace pipeline {
namespace {

// FNV-1a: short names, and no need to withstand an attack beyond the bounded table.
std::size_t hash(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const char c : text) {
        sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return static_cast<std::size_t>(sum ^ (sum >> 32));
}

}  // namespace

std::optional<std::size_t> Windows::find(const SensorName& sensor) {
    std::size_t slot = hash(sensor.view()) % slots;
    while (index_[slot] != free_slot) {
        if (windows_[index_[slot]].sensor.view() == sensor.view()) return index_[slot];
        slot = (slot + 1) % slots;
    }
    if (count_ == sensors_max) return std::nullopt;
    index_[slot] = static_cast<std::uint16_t>(count_);
    windows_[count_].sensor = sensor;
    return count_++;
}

Windows::Added Windows::add(const Record& record, WindowResult& result) {
    const auto index = find(record.sensor);
    if (!index) return Added::no_room;
    WindowResult& window = windows_[*index];
    const bool first = window.count++ == 0;
    window.min = first ? record.value : std::min(window.min, record.value);
    window.max = first ? record.value : std::max(window.max, record.value);
    // Divided before it is added: the sum of large values would overflow.
    const auto count = static_cast<double>(window.count);
    window.mean = first ? record.value : window.mean + (record.value / count - window.mean / count);
    window.last_value = record.value;
    window.last_t = record.t;
    ++pending_;
    if (window.count < size_) return Added::open;
    pending_ -= window.count;
    result = window;
    window.count = 0;
    return Added::complete;
}

std::optional<WindowResult> Windows::take_incomplete() {
    while (taken_ < count_) {
        WindowResult& window = windows_[taken_++];
        if (window.count == 0) continue;
        pending_ -= window.count;
        const WindowResult result = window;
        window.count = 0;
        return result;
    }
    return std::nullopt;
}

}  // namespace pipeline
