// only: gcc < 14
// A lambda that captures by value what has a destructor, as a temporary in the co_await of a retry.
// expect: name it first, or capture by reference
#include <ringlet/flow/retry.hpp>

struct Name {
    Name() = default;
    Name(const Name&) {}
    ~Name() {}
};
ringlet::Task<void> awaits() {
    const Name name;
    co_await ringlet::retry({}, [name]() -> ringlet::Task<void> { co_return; });
}
