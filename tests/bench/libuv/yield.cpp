#include <vector>

#include "libuv.hpp"

using namespace bench;

struct Yielder {
    uv_idle_t idle;
    std::int64_t left;
};

static void on_turn(uv_idle_t* idle) {
    Yielder& self = owner<Yielder>(idle);
    if (--self.left <= 0) close(self.idle);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t coroutines = arguments.number("coroutines", 1);
    std::vector<Yielder> yielders(static_cast<std::size_t>(coroutines));
    measure("yield", arguments.number("ops", 2'000'000), nullptr,
            [&](uv_loop_t* loop, std::int64_t ops) {
                for (Yielder& yielder : yielders) {
                    yielder.left = part(ops, coroutines, &yielder - yielders.data());
                    yielder.idle.data = &yielder;
                    check(uv_idle_init(loop, &yielder.idle));
                    check(uv_idle_start(&yielder.idle, on_turn));
                }
            });
}
