// A record: one measurement of one sensor, and how a line becomes one.
#pragma once

#include <ringlet/app/json.hpp>
#include <ringlet/app/text_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pipeline {

inline constexpr std::size_t sensor_bytes_max = 63;

// A sensor's name, in place.
class SensorName {
public:
    SensorName() = default;
    // name.size() <= sensor_bytes_max.
    explicit SensorName(std::string_view name);
    std::string_view view() const { return {bytes_.data(), size_}; }

private:
    std::array<char, sensor_bytes_max> bytes_{};
    std::uint8_t size_ = 0;
};

struct Record {
    SensorName sensor;
    double t = 0;  // seconds since the epoch
    double value = 0;
    std::uint64_t line = 0;  // where it stands in the source, from 1
};

inline constexpr std::size_t reason_bytes = 160;

// Why a line was refused.
struct Reject {
    std::uint64_t line = 0;
    std::array<char, reason_bytes> reason{};  // zero-terminated
};

// Parses {"sensor": string, "t": number, "value": number}; further members are ignored. False if
// the line is no such record: then `why` has the reason in words.
bool parse_record(ringlet::Json& json, std::string_view line, Record& record,
                  ringlet::TextBuffer& why);

}  // namespace pipeline
