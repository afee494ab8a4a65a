// The frame of most programs: a tenth of the operations to warm up, then all of them, measured.
#pragma once

#include "bench.hpp"

namespace bench {

// `run(ops)` does so many operations, one at least, and returns.
template <class Run>
void measure(const char* name, const char* peer, std::int64_t ops, Latencies* latencies, Run run) {
    if (ops >= 10) run(ops / 10);
    if (latencies != nullptr) latencies->clear();
    Stretch stretch;
    stretch.begin();
    run(ops);
    stretch.end();
    print_result(name, peer, ops, stretch, latencies);
}

// How many of the operations are those of task `index` out of `count`.
inline std::int64_t part(std::int64_t ops, std::int64_t count, std::int64_t index) {
    return ops / count + (index < ops % count ? 1 : 0);
}

}  // namespace bench
