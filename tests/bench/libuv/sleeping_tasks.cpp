#include "libuv.hpp"

using namespace bench;

static void sleep() {
    auto* const timer = new uv_timer_t;
    check(uv_timer_init(uv_default_loop(), timer));
    check(uv_timer_start(
        timer, [](uv_timer_t*) {}, 3'600'000, 0));
}

int main(int count, char** values) {
    const std::int64_t tasks = Arguments(count, values).number("tasks", 10'000);
    sleep();  // what the first timer brings for all
    uv_run(uv_default_loop(), UV_RUN_NOWAIT);
    const std::int64_t before = own_bytes();
    for (std::int64_t i = 0; i < tasks; i++) sleep();
    uv_run(uv_default_loop(), UV_RUN_NOWAIT);
    print_bytes("sleeping_tasks", "libuv", tasks, own_bytes() - before);
}
