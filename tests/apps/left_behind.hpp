// What a run of an app has left in its simulated world.
#pragma once

#include <ringlet/testing/world.hpp>

#include <cstddef>
#include <string_view>

namespace ringlet::support {

// Files of AtomicFile that did not come to their places.
inline unsigned temporaries(testing::World& world) {
    unsigned found = 0;
    for (unsigned i = 0; i < world.options().files; ++i) {
        const auto& node = world.files()[static_cast<int>(i)];
        found += node.linked && node.text().ends_with(".tmp") ? 1 : 0;
    }
    return found;
}

inline std::size_t occurrences(std::string_view text, std::string_view words) {
    std::size_t count = 0;
    for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
    return count;
}

}  // namespace ringlet::support
