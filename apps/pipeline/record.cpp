// Lines to records.
#include <record.hpp>

#include <algorithm>

namespace pipeline {

SensorName::SensorName(std::string_view name) : size_(static_cast<std::uint8_t>(name.size())) {
    std::copy(name.begin(), name.end(), bytes_.begin());
}

namespace {

// A record is one line: what the parser says of lines would only confuse.
void append_message(ringlet::TextBuffer& why, std::string_view message) {
    constexpr std::string_view place = "line 1, ";
    if (message.starts_with(place)) message.remove_prefix(place.size());
    why.append_printable(message);
}

}  // namespace

bool parse_record(ringlet::Json& json, std::string_view line, Record& record,
                  ringlet::TextBuffer& why) {
    const auto document = json.parse(line);
    if (!document) {
        append_message(why, json.message());
        return false;
    }
    const ringlet::JsonValue root = document->root();
    const auto sensor = root.string("sensor");
    const auto t = sensor ? root.number("t") : ringlet::Result<double>(0);
    const auto value = sensor && t ? root.number("value") : ringlet::Result<double>(0);
    if (!sensor || !t || !value) {
        append_message(why, json.message());
        return false;
    }
    if (sensor->empty() || sensor->size() > sensor_bytes_max) {
        why.format("/sensor: a name has 1 to %zu bytes", sensor_bytes_max);
        return false;
    }
    record.sensor = SensorName(*sensor);
    record.t = *t;
    record.value = *value;
    return true;
}

}  // namespace pipeline
