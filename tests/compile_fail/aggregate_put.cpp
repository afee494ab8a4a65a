// only: gcc < 14
// An aggregate with a destructor, as a temporary in a co_await.
// expect: give it a constructor
// expect: a constructor
#include <ringlet/sync/queue.hpp>
#include <ringlet/task/task.hpp>

struct Name {
    Name() = default;
    Name(const Name&) {}
    Name& operator=(const Name&) { return *this; }
    ~Name() {}
};
struct Reading {
    Name name;
    int value;
};
ringlet::Task<void> awaits(ringlet::Queue<Reading, 4>& queue) {
    co_await queue.put(Reading{Name(), 5});
}
