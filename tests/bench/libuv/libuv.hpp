// What the programs for libuv share. Its "task" is a handle and what its callbacks remember; a
// handle for the next turn is uv_idle_t, whose callbacks run once a turn of the loop.
#pragma once

#include <uv.h>

#include "../common/measure.hpp"

namespace bench {

inline int check(int result) {
    if (result < 0) {
        std::fprintf(stderr, "libuv: %s\n", uv_strerror(result));
        std::exit(1);
    }
    return result;
}

// What a handle or request belongs to.
template <class Owner, class Handle>
Owner& owner(Handle* handle) {
    return *static_cast<Owner*>(handle->data);
}

template <class Handle>
void close(Handle& handle, uv_close_cb closed = nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), closed);
}

// `start(loop, ops)` starts handles that do so many operations and are then closed.
template <class Start>
void measure(const char* name, std::int64_t ops, Latencies* latencies, Start start) {
    uv_loop_t* const loop = uv_default_loop();
    measure(name, "libuv", ops, latencies, [&](std::int64_t count) {
        start(loop, count);
        check(uv_run(loop, UV_RUN_DEFAULT));
    });
}

// libuv's timers count in milliseconds of the loop's clock: the first one that is not too early.
inline void start_at(uv_timer_t& timer, Nanoseconds deadline, uv_timer_cb fired) {
    const auto milliseconds = static_cast<std::uint64_t>((deadline + 999'999) / 1'000'000);
    const std::uint64_t turn = uv_now(timer.loop);
    check(uv_timer_start(&timer, fired, milliseconds > turn ? milliseconds - turn : 0, 0));
}

inline sockaddr_in loopback(std::int64_t port) {
    sockaddr_in address{};
    check(uv_ip4_addr("127.0.0.1", static_cast<int>(port), &address));
    return address;
}

// A server's: until the process is ended.
inline void serve() {
    std::puts("listening");
    std::fflush(stdout);
    check(uv_run(uv_default_loop(), UV_RUN_DEFAULT));
}

}  // namespace bench
