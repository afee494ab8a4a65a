// A timeout that nobody awaits.
// expect: nodiscard
#include <ringlet/flow/timeout.hpp>
#include <ringlet/time/sleep.hpp>

ringlet::Task<void> forgets() {
    ringlet::timeout(std::chrono::seconds(1), ringlet::sleep(std::chrono::seconds(2)));
    co_return;
}
