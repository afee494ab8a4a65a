// A program for program_budget_test.py: makes coroutines of many kinds, and prints of each the
// bytes that the frame pool was asked for, and its name. It needs no kernel.
#include <ringlet/flow/generator.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/simulation.hpp>

#include <array>
#include <cstdio>

namespace sizes {

using namespace ringlet;
using namespace std::chrono_literals;

// The only class, so that its largest request is the one that was made.
constexpr Limits limits{.frames = {{8192, 4}}};

Queue<int, 4> queue;

[[gnu::noinline]] Task<void> empty() {
    co_return;
}
[[gnu::noinline]] Task<void> sleeps() {
    co_await sleep(1ms);
}
[[gnu::noinline]] Task<void> sleeps_thrice() {
    co_await sleep(1ms);
    co_await sleep(2ms);
    co_await sleep(3ms);
}
[[gnu::noinline]] Task<int> calls(int number) {
    co_await empty();
    co_return number;
}
[[gnu::noinline]] Task<void> attempts() {
    const auto result = co_await attempt(calls(1));
    if (!result) log::error("%s", text(result.error()));
}
[[gnu::noinline]] Task<void> has_a_deadline() {
    co_await timeout(1ms, calls(2));
    co_await timeout(1ms, sleep(2ms));
}
[[gnu::noinline]] Task<int> gets() {
    const auto item = co_await queue.get();
    co_return item.value_or(0);
}
[[gnu::noinline]] Task<void> puts(int item) {
    co_await queue.put(item);
}
[[gnu::noinline]] Task<void> gathers() {
    const auto both = co_await gather(calls(1), calls(2));
    log::info("%d", std::get<0>(both));
}
[[gnu::noinline]] Task<void> has_a_group() {
    co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
        group.spawn(sleeps);
        co_return;
    });
}
[[gnu::noinline]] Task<void> has_a_buffer(File* file) {
    std::array<std::byte, 1000> buffer;
    co_await file->read(buffer);
    co_await file->write(buffer);
}
[[gnu::noinline]] Generator<int> generates() {
    for (int i = 0; i < 3; ++i) co_yield i;
}
template <int bytes>
[[gnu::noinline]] Task<void> is_a_template() {
    std::array<std::byte, bytes> buffer;
    co_await write_atomic("file", buffer);
}

// `make` makes a coroutine. Never awaited, it is destroyed without having begun.
void measure(const char* name, void (*make)()) {
    testing::Simulation simulation;
    unsigned bytes = 0;
    const auto main = [&] {
        make();
        bytes = scheduler().frames().use(0).largest;
        return empty();
    };
    if (simulation.run<limits>(main) == 0) std::printf("%u %s\n", bytes, name);
}

}  // namespace sizes

int main() {
    using namespace sizes;
    measure("sizes::empty()", [] { const auto made = empty(); });
    measure("sizes::sleeps()", [] { const auto made = sleeps(); });
    measure("sizes::sleeps_thrice()", [] { const auto made = sleeps_thrice(); });
    measure("sizes::calls(int)", [] { const auto made = calls(1); });
    measure("sizes::attempts()", [] { const auto made = attempts(); });
    measure("sizes::has_a_deadline()", [] { const auto made = has_a_deadline(); });
    measure("sizes::gets()", [] { const auto made = gets(); });
    measure("sizes::puts(int)", [] { const auto made = puts(1); });
    measure("sizes::gathers()", [] { const auto made = gathers(); });
    measure("sizes::has_a_group()", [] { const auto made = has_a_group(); });
    measure("sizes::has_a_buffer(ringlet::File*)", [] { const auto made = has_a_buffer(nullptr); });
    measure("sizes::generates()", [] { const auto made = generates(); });
    measure("sizes::is_a_template<100>()", [] { const auto made = is_a_template<100>(); });
    measure("sizes::is_a_template<900>()", [] { const auto made = is_a_template<900>(); });
    measure("ringlet::AtomicFile::open(char const*)",
            [] { const auto made = AtomicFile::open("file"); });
}
