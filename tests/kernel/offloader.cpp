// Batches of jobs, for syscalls_test.py: `offloader ROUNDS JOBS`. In each round all jobs are handed
// over in one turn, and all have run before the loop looks at them.
#include <ringlet/ringlet.hpp>

#include <atomic>
#include <cstdlib>

using namespace ringlet;

namespace {

constexpr Limits limits{
    .tasks = 1000, .frames = {{256, 2200}, {512, 1100}, {1024, 4}}, .workers = 1};

Runtime<limits> runtime;

Task<void> offload_one(std::atomic<int>& ran) {
    co_await offload([&ran] { ++ran; });
}

Task<void> offload_batches(int rounds, int jobs) {
    std::atomic<int> ran = 0;
    for (int round = 1; round <= rounds; ++round) {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < jobs; ++i) (void)group.spawn(offload_one, std::ref(ran));
            co_await yield();  // the jobs are submitted
            co_await yield();  // and handed over
            while (ran < round * jobs) {}
        });
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return 2;
    return runtime.run(offload_batches, std::atoi(arguments[1]), std::atoi(arguments[2]));
}
