// AwaitSite: where in the source a co_await stands, for the await tree. In a build without await
// sites (the Meson option await_sites) it is empty, and takes no room in blocks and frames.
#pragma once

#include <bit>
#include <cstdint>
#include <source_location>

#ifndef RINGLET_AWAIT_SITES
#define RINGLET_AWAIT_SITES 1
#endif

namespace ringlet {

#if RINGLET_AWAIT_SITES

using AwaitSite = std::source_location;
// A site as an argument, bare: one of class type has a place in the frame, at each co_await.
#define RINGLET_HERE __builtin_source_location()
inline AwaitSite site_of(const void* here) {
    return std::bit_cast<AwaitSite>(here);
}
#define RINGLET_BLOCKS_BEGIN
#define RINGLET_BLOCKS_END

#else

struct AwaitSite {
    constexpr AwaitSite() = default;
    constexpr AwaitSite(std::source_location) {}  // NOLINT: of code that names its place itself
    constexpr operator std::source_location() const { return {}; }  // NOLINT: nowhere
    constexpr const char* file_name() const { return ""; }
    constexpr std::uint_least32_t line() const { return 0; }
};
#define RINGLET_HERE nullptr
inline AwaitSite site_of(const void*) {
    return {};
}
// Blocks have another size, so they have another name, too: a program and a library that differ do
// not link.
#define RINGLET_BLOCKS_BEGIN inline namespace without_await_sites {
#define RINGLET_BLOCKS_END }

#endif

}  // namespace ringlet
