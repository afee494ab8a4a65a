// How much stack a function needs: it runs in a thread whose stack is painted, and then we look how
// far the paint is gone. For a part of a run, so that nothing deeper hides it: repaint_stack()
// before it, and stack_depth() after it.
#pragma once

#include <ringlet/task/frame_pool.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringlet::conformance {

#ifdef RINGLET_ADDRESS_SANITIZER
#define RINGLET_NEEDS_PLAIN_STACK() \
    GTEST_SKIP() << "AddressSanitizer keeps locals elsewhere and pads the stack"
#else
#define RINGLET_NEEDS_PLAIN_STACK() static_cast<void>(0)
#endif

inline constexpr std::size_t painted_bytes = 1024 * 1024;
inline constexpr unsigned char paint = 0xA5;
inline thread_local unsigned char* painted = nullptr;  // the lowest byte of the thread's stack

// Bytes between the top of the thread's stack and the lowest byte that was written.
inline std::size_t stack_depth() {
    std::size_t untouched = 0;
    while (untouched < painted_bytes && painted[untouched] == paint) ++untouched;
    return painted_bytes - untouched;
}

// Paints what lies below the caller. Calls nothing, so that nothing stands there.
[[gnu::noinline]] inline void repaint_stack() {
    constexpr std::size_t own_frame = 192;
    volatile unsigned char here = 0;
    const auto lowest = reinterpret_cast<std::uintptr_t>(painted);
    const std::size_t below = reinterpret_cast<std::uintptr_t>(&here) - lowest - own_frame;
    volatile unsigned char* const start = painted;
    for (std::size_t i = 0; i < below; ++i) start[i] = paint;
}

// Runs `function` in a thread with a painted stack, and gives the stack_depth() of its end.
template <class F>
std::size_t painted_stack_depth(F function) {
    constexpr std::size_t bytes = painted_bytes;
    struct Call {
        F& function;
        void* stack;
    };
    void* const stack = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    EXPECT_NE(stack, MAP_FAILED);
    std::memset(stack, paint, bytes);
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstack(&attributes, stack, bytes);
    Call call{function, stack};
    pthread_t thread;
    const int failed = ::pthread_create(
        &thread, &attributes,
        [](void* argument) -> void* {
            const Call& mine = *static_cast<Call*>(argument);
            painted = static_cast<unsigned char*>(mine.stack);
            mine.function();
            return nullptr;
        },
        &call);
    EXPECT_EQ(failed, 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
    painted = static_cast<unsigned char*>(stack);
    const std::size_t depth = stack_depth();
    painted = nullptr;
    ::munmap(stack, bytes);
    return depth;
}

}  // namespace ringlet::conformance
