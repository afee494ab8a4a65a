#include <vector>

#include "libuv.hpp"

using namespace bench;

struct Limited {
    uv_idle_t idle;
    uv_timer_t limit;
    std::int64_t left;
};

static void on_limit(uv_timer_t* limit) {
    check(uv_idle_stop(&owner<Limited>(limit).idle));
}

static void begin(Limited& limited);

static void on_turn(uv_idle_t* idle) {
    Limited& limited = owner<Limited>(idle);
    check(uv_timer_stop(&limited.limit));
    check(uv_idle_stop(&limited.idle));
    if (--limited.left > 0) {
        begin(limited);
    } else {
        close(limited.idle);
        close(limited.limit);
    }
}

static void begin(Limited& limited) {
    check(uv_timer_start(&limited.limit, on_limit, 1000, 0));
    check(uv_idle_start(&limited.idle, on_turn));
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t tasks = arguments.number("tasks", 100);
    std::vector<Limited> all(static_cast<std::size_t>(tasks));
    measure("with_timeout_leaf", arguments.number("ops", 2'000'000), nullptr,
            [&](uv_loop_t* loop, std::int64_t ops) {
                for (Limited& limited : all) {
                    limited.left = part(ops, tasks, &limited - all.data());
                    limited.idle.data = limited.limit.data = &limited;
                    check(uv_idle_init(loop, &limited.idle));
                    check(uv_timer_init(loop, &limited.limit));
                    begin(limited);
                }
            });
}
