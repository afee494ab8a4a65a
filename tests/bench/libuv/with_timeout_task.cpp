// The task has handles of its own for its work and for the limit.
#include <vector>

#include "libuv.hpp"

using namespace bench;

struct Caller {
    uv_loop_t* loop;
    std::int64_t left;
};

struct Task {
    uv_idle_t idle;
    uv_timer_t limit;
    Caller* caller;
    int open = 2;
};

static void start_task(Caller& caller);

static void on_closed(uv_handle_t* handle) {
    Task& task = owner<Task>(handle);
    if (--task.open > 0) return;
    Caller& caller = *task.caller;
    delete &task;
    if (--caller.left > 0) start_task(caller);
}

static void end(Task& task) {
    close(task.idle, on_closed);
    close(task.limit, on_closed);
}

static void on_turn(uv_idle_t* idle) {
    end(owner<Task>(idle));
}

static void on_limit(uv_timer_t* limit) {
    end(owner<Task>(limit));
}

static void start_task(Caller& caller) {
    Task* const task = new Task{{}, {}, &caller};
    task->idle.data = task->limit.data = task;
    check(uv_idle_init(caller.loop, &task->idle));
    check(uv_timer_init(caller.loop, &task->limit));
    check(uv_timer_start(&task->limit, on_limit, 1000, 0));
    check(uv_idle_start(&task->idle, on_turn));
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t tasks = arguments.number("tasks", 100);
    std::vector<Caller> callers(static_cast<std::size_t>(tasks));
    measure("with_timeout_task", arguments.number("ops", 2'000'000), nullptr,
            [&](uv_loop_t* loop, std::int64_t ops) {
                for (Caller& caller : callers) {
                    caller = {loop, part(ops, tasks, &caller - callers.data())};
                    start_task(caller);
                }
            });
}
