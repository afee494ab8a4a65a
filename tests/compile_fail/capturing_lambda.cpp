// only: gcc < 14
// A lambda that captures by value what has a destructor, as a temporary in a co_await.
// expect: name it first, or capture by reference
#include <ringlet/flow/task_group.hpp>

struct Name {
    Name() = default;
    Name(const Name&) {}
    ~Name() {}
};
ringlet::Task<void> awaits() {
    const Name name;
    co_await ringlet::TaskGroup::run([name](ringlet::TaskGroup&) -> ringlet::Task<void> {
        co_return;
    });
}
