// A repeating timer of libuv counts its period from when it was late; so each tick is started anew.
#include "libuv.hpp"

using namespace bench;

static constexpr Nanoseconds period = 1'000'000;

struct Ticker {
    uv_timer_t timer;
    Latencies lateness;
    Nanoseconds deadline;
    std::int64_t left;
};

static void on_tick(uv_timer_t* timer) {
    Ticker& ticker = owner<Ticker>(timer);
    ticker.lateness.add(now() - ticker.deadline);
    if (--ticker.left > 0) {
        ticker.deadline += period;
        start_at(ticker.timer, ticker.deadline, on_tick);
    } else {
        close(ticker.timer);
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    Ticker ticker{.lateness = Latencies()};
    ticker.timer.data = &ticker;
    measure("tick", arguments.number("ticks", 2000), &ticker.lateness,
            [&](uv_loop_t* loop, std::int64_t ops) {
                check(uv_timer_init(loop, &ticker.timer));
                ticker.left = ops;
                ticker.deadline = now() + period;
                start_at(ticker.timer, ticker.deadline, on_tick);
            });
}
