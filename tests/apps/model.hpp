// What the pipeline's tests expect, made without the pipeline: seeded records, and what shall come
// of them, computed in the plainest way.
#pragma once

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace pipeline::model {

struct Item {
    std::string sensor;
    double t = 0;
    double value = 0;
};

struct Window {
    std::string sensor;
    std::vector<double> values;
    double last_t = 0;

    double min() const { return *std::ranges::min_element(values); }
    double max() const { return *std::ranges::max_element(values); }
    // The pipeline's own formula, so that rows can be compared to the bit.
    double mean() const {
        double mean = values[0];
        for (std::size_t i = 1; i < values.size(); ++i) {
            const auto count = static_cast<double>(i + 1);
            mean += values[i] / count - mean / count;
        }
        return mean;
    }
};

inline std::vector<Item> items(std::size_t count, unsigned sensors, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Item> all;
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = static_cast<double>(random() % 100'000) / 1000 - 20;
        std::string sensor = "s";
        sensor += std::to_string(random() % sensors);
        all.push_back({sensor, static_cast<double>(i), value});
    }
    return all;
}

// In the order of their ends; then, in the order of the sensors' first records, the incomplete.
struct Windows {
    std::vector<Window> complete;
    std::vector<Window> incomplete;
};
inline Windows windows(const std::vector<Item>& items, std::size_t size) {
    Windows all;
    std::vector<Window> open;
    for (const Item& item : items) {
        auto own = std::ranges::find(open, item.sensor, &Window::sensor);
        if (own == open.end()) own = open.insert(open.end(), Window{item.sensor, {}, 0});
        own->values.push_back(item.value);
        own->last_t = item.t;
        if (own->values.size() < size) continue;
        all.complete.push_back(*own);
        own->values.clear();
    }
    for (const Window& each : open) {
        if (!each.values.empty()) all.incomplete.push_back(each);
    }
    return all;
}

inline std::string number(double value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

// Appended piece by piece: GCC 12 warns, wrongly, of `"..." + std::string()`.
inline std::string joined(std::initializer_list<std::string> pieces) {
    std::string all;
    for (const std::string& each : pieces) all += each;
    return all;
}

inline std::string line(const Item& item) {
    return joined({"{\"sensor\": \"", item.sensor, "\", \"t\": ", number(item.t),
                   ", \"value\": ", number(item.value), "}\n"});
}

inline std::string row(const Window& window) {
    return joined({"{\"sensor\":\"", window.sensor, "\",\"count\":",
                   std::to_string(window.values.size()), ",\"min\":", number(window.min()),
                   ",\"max\":", number(window.max()), ",\"mean\":", number(window.mean()),
                   ",\"last\":", number(window.values.back()), ",\"t\":", number(window.last_t),
                   "}\n"});
}

inline std::string rows(const std::vector<Window>& windows) {
    std::string all;
    for (const Window& each : windows) all += row(each);
    return all;
}

}  // namespace pipeline::model
