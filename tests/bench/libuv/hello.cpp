#include "libuv.hpp"

int main() {
    uv_timer_t timer;
    bench::check(uv_timer_init(uv_default_loop(), &timer));
    bench::check(uv_timer_start(
        &timer, [](uv_timer_t*) { std::puts("hello"); }, 1, 0));
    bench::check(uv_run(uv_default_loop(), UV_RUN_DEFAULT));
}
