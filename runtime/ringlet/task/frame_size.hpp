// The size of each coroutine's frame, as a result of the build.
//
// Optimised code knows it as a constant where the frame is allocated: always-inline operator new
// calls check_frame_size(). Two things come of it:
//   the bound    a frame larger than frame_bytes_max is an error of the compiler, or of the linker
//                where it generates the code (LTO)
//   the ledger   each coroutine leaves a record in the section .ringlet.frames: an address in its
//                code, the frame's bytes. The section takes no memory at run time (it is not
//                loaded), survives strip, and a record goes where the linker discards its function.
// Debug builds (-O0) know no size; there a frame that no class can hold fails when it is allocated.
#pragma once

#include <cstddef>

// The build option frame_bytes_max. All code in one program has the same.
#ifndef RINGLET_FRAME_BYTES_MAX
#define RINGLET_FRAME_BYTES_MAX 8192
#endif

namespace ringlet {

// The most that a size class of the FramePool can have, in bytes.
inline constexpr unsigned frame_class_bytes_max = 8192;

// No frame of an optimised program's own coroutines is larger, in bytes.
inline constexpr unsigned frame_bytes_max = RINGLET_FRAME_BYTES_MAX;
static_assert(frame_bytes_max >= 256 && frame_bytes_max <= frame_class_bytes_max,
              "frame_bytes_max is from 256 to 8192");

namespace detail {

// Never defined, never called: a call that is still there when code is generated is the error.
[[gnu::error("Ringlet: this coroutine's frame is larger than the build allows "
             "(RINGLET_FRAME_BYTES_MAX). Make large locals (buffers, queues, arrays) static or "
             "members of a static object, move a part into a coroutine of its own, or, below 8192, "
             "raise the bound with the Meson option -Dframe_bytes_max=BYTES. GCC names the "
             "coroutine ('inlined from'); for clang see docs/memory.md, The bound")]] void
frame_is_larger_than_the_bound();

}  // namespace detail

[[gnu::always_inline]] inline void check_frame_size([[maybe_unused]] std::size_t bytes) {
#ifdef __OPTIMIZE__
    if (!__builtin_constant_p(bytes)) return;
#ifdef RINGLET_OWN_LIBRARY
    // Compiled whole, also what a program with small classes never calls.
    constexpr std::size_t bound = frame_class_bytes_max;
#else
    constexpr std::size_t bound = frame_bytes_max;
#endif
    if (bytes > bound) detail::frame_is_larger_than_the_bound();
    // Flag "o" ties the record to the section of its function, "?" puts it into the same group, so
    // that of an inline coroutine's copies one record stays. `inline`: GCC counts it as no code.
    if constexpr (sizeof(void*) == 8) {
        asm inline volatile(
            ".Lringlet_frame_%=:\n"
            ".pushsection .ringlet.frames,\"o?\",%%progbits,.Lringlet_frame_%=\n"
            ".8byte .Lringlet_frame_%=\n"
            ".4byte %c0\n"
            ".4byte 0\n"
            ".popsection"
            :
            : "i"(bytes));
    } else {
        asm inline volatile(
            ".Lringlet_frame_%=:\n"
            ".pushsection .ringlet.frames,\"o?\",%%progbits,.Lringlet_frame_%=\n"
            ".4byte .Lringlet_frame_%=\n"
            ".4byte %c0\n"
            ".popsection"
            :
            : "i"(bytes));
    }
#endif
}

}  // namespace ringlet
