// Sizes with units: 64_KiB reads better than 65536.
#pragma once

#include <cstddef>

namespace ringlet {
inline namespace literals {

constexpr std::size_t operator""_KiB(unsigned long long count) {
    return static_cast<std::size_t>(count) << 10;
}
constexpr std::size_t operator""_MiB(unsigned long long count) {
    return static_cast<std::size_t>(count) << 20;
}

}  // namespace literals
}  // namespace ringlet
