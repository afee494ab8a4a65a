// Facts of a build for tools on the desktop (tools/budget), which read the program's file.
//
// A record stands in the section .ringlet.limits, which takes no memory at run time (it is not
// loaded), survives strip, and loses the records of functions that the linker discards. Its words:
// the kind, how many words follow, and those. Unlike the frames' sizes, debug builds have them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ringlet {

enum class BuildRecord : std::uint32_t { limits = 1, buffer_pool = 2 };

namespace detail {

// Flags "o?" as in check_frame_size(): the word goes with the function that it stands in.
template <std::uint32_t word>
[[gnu::always_inline]] inline void record_word() {
    asm inline volatile(
        ".Lringlet_limits_%=:\n"
        ".pushsection .ringlet.limits,\"o?\",%%progbits,.Lringlet_limits_%=\n"
        ".4byte %c0\n"
        ".popsection"
        :
        : "i"(word));
}

template <const auto& words, std::size_t... indexes>
[[gnu::always_inline]] inline void record_words(std::index_sequence<indexes...>) {
    (record_word<words[indexes]>(), ...);  // volatile statements keep their order
}

}  // namespace detail

// Leaves a record in the function that calls this. That must not be inlined anywhere, nor be a
// template of its own, or there are several. `words`: a static constexpr std::array.
template <BuildRecord kind, const auto& words>
[[gnu::always_inline]] inline void leave_build_record() {
    detail::record_word<static_cast<std::uint32_t>(kind)>();
    detail::record_word<words.size()>();
    detail::record_words<words>(std::make_index_sequence<words.size()>{});
}

}  // namespace ringlet
