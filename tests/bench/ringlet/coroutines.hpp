// What Ringlet's benchmark programs share.
#pragma once

#include "bench.hpp"

#include <ringlet/ringlet.hpp>

namespace bench {

// Runs `work(ops / 10)` unmeasured and `work(ops)` measured, and prints the result's line.
template <class Work>
ringlet::Task<void> measure(const char* name, std::int64_t ops, Work& work,
                            Latencies* latencies = nullptr) {
    co_await work(ops / 10);
    if (latencies != nullptr) latencies->clear();
    Stretch stretch;
    stretch.begin();
    co_await work(ops);
    stretch.end();
    print_result(name, "ringlet", ops, stretch, latencies);
}

// `count` tasks side by side, each `function(arguments...)`.
template <class F, class... Arguments>
ringlet::Task<void> run_many(std::int64_t count, F function, Arguments... arguments) {
    const auto body = [&](ringlet::TaskGroup& group) -> ringlet::Task<void> {
        for (std::int64_t i = 0; i < count; ++i) group.spawn(function, arguments...);
        co_return;
    };
    co_await ringlet::TaskGroup::run(body);
}

}  // namespace bench
