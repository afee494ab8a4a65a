// All timers of libuv have a slack of 1 ms; there is no other, and no way without.
#include <vector>

#include "libuv.hpp"

using namespace bench;

struct Sleepers {
    Latencies lateness;
    Stretch stretch;
    std::int64_t ops = 0;
};

struct Sleeper {
    uv_timer_t timer;
    Sleepers* all;
    Delays delays;
    Nanoseconds deadline;
};

static void on_deadline(uv_timer_t* timer);

static void sleep(Sleeper& sleeper) {
    sleeper.deadline = now() + sleeper.delays.next();
    start_at(sleeper.timer, sleeper.deadline, on_deadline);
}

static void on_deadline(uv_timer_t* timer) {
    Sleeper& sleeper = owner<Sleeper>(timer);
    sleeper.all->lateness.add(now() - sleeper.deadline);
    sleeper.all->ops++;
    sleep(sleeper);
}

static void on_begin(uv_timer_t* timer) {
    Sleepers& all = owner<Sleepers>(timer);
    all.lateness.clear();
    all.ops = 0;
    all.stretch.begin();
}

static void on_end(uv_timer_t* timer) {
    owner<Sleepers>(timer).stretch.end();
    uv_stop(timer->loop);
}

static void start_after(uv_timer_t& timer, Sleepers& all, std::int64_t milliseconds,
                        uv_timer_cb fired) {
    timer.data = &all;
    check(uv_timer_init(uv_default_loop(), &timer));
    check(uv_timer_start(&timer, fired, static_cast<std::uint64_t>(milliseconds), 0));
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t seconds = arguments.number("seconds", 2);
    Sleepers all;
    std::vector<Sleeper> sleepers;
    for (std::int64_t i = 0; i < arguments.number("sleepers", 10'000); i++) {
        sleepers.push_back({{}, &all, Delays(static_cast<std::uint64_t>(i)), 0});
    }
    for (Sleeper& sleeper : sleepers) {
        sleeper.timer.data = &sleeper;
        check(uv_timer_init(uv_default_loop(), &sleeper.timer));
        sleep(sleeper);
    }
    uv_timer_t begin;
    uv_timer_t end;
    start_after(begin, all, seconds * 100, on_begin);
    start_after(end, all, seconds * 1100, on_end);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    print_result("sleep", "libuv", all.ops, all.stretch, &all.lateness);
}
