#include "libuv.hpp"

using namespace bench;

struct Caller {
    uv_loop_t* loop;
    std::int64_t left;
    std::int64_t sum;
};

struct Task {
    uv_idle_t idle;
    Caller* caller;
    int result;
};

static void start_task(Caller& caller);

static void on_end(uv_handle_t* idle) {
    Task& task = owner<Task>(idle);
    Caller& caller = *task.caller;
    caller.sum += task.result;
    delete &task;
    if (--caller.left > 0) start_task(caller);
}

static void on_turn(uv_idle_t* idle) {
    owner<Task>(idle).result = 1;
    close(*idle, on_end);
}

static void start_task(Caller& caller) {
    Task* const task = new Task{{}, &caller, 0};
    task->idle.data = task;
    check(uv_idle_init(caller.loop, &task->idle));
    check(uv_idle_start(&task->idle, on_turn));
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    Caller caller{};
    measure("spawn_join", arguments.number("ops", 1'000'000), nullptr,
            [&](uv_loop_t* loop, std::int64_t ops) {
                caller = {loop, ops, 0};
                start_task(caller);
            });
    keep(caller.sum);
}
