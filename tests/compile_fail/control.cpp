// What the other sources do wrong, done right.
// compiles
#include <ringlet/ringlet.hpp>
#include <ringlet/sync/queue.hpp>

using namespace ringlet;
using namespace std::chrono_literals;

struct Name {
    Name() = default;
    Name(const Name&) = default;
    Name& operator=(const Name&) = default;
    ~Name() {}
};
struct Reading {
    explicit Reading(Name whose) : name(whose) {}
    Name name;
};
struct Fixed {
    Fixed() = default;
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
};

Task<int> work() {
    co_return 1;
}
Task<void> uses(Fixed&) {
    co_return;
}

Task<void> right(Queue<Reading, 4>& queue) {
    co_await work();
    auto task = work();
    co_await std::move(task);
    co_await sleep(1ms);
    const Name name;
    auto body = [name](TaskGroup& group) -> Task<void> {
        Fixed fixed;
        (void)group.spawn(uses, std::ref(fixed));
        co_await sleep(1ms);
    };
    co_await TaskGroup::run(body);
    co_await queue.put(Reading(name));
    co_await offload([&name] { return Name(name); });
    co_await offload(abandonable([](Name) {}, name));
}
