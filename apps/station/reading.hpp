// Reading: one measured value, on its way from a source to a window.
#pragma once

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace station {

// Of a channel's name, which consists of letters, digits, '_', '-' and '.'.
inline constexpr std::size_t channel_bytes_max = 23;

class ChannelName {
public:
    ChannelName() = default;
    explicit ChannelName(std::string_view name) : size_(name.size()) {
        RINGLET_ASSERT(!name.empty() && name.size() <= channel_bytes_max);
        std::ranges::copy(name, bytes_.begin());
    }
    std::string_view view() const { return {bytes_.data(), size_}; }
    friend bool operator==(const ChannelName& one, const ChannelName& other) {
        return one.view() == other.view();
    }

private:
    std::array<char, channel_bytes_max> bytes_{};
    std::size_t size_ = 0;
};

struct Reading {
    Reading() = default;
    Reading(std::string_view name, double its_value) : channel(name), value(its_value) {}

    ChannelName channel;
    double value = 0;  // finite
};

}  // namespace station
