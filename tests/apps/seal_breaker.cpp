// Allocates while the runtime runs: the sealed build must not let that pass.
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>

#include <memory>

namespace {

std::unique_ptr<int> kept;

ringlet::Task<void> allocate() {
    co_await ringlet::yield();
    kept = std::make_unique<int>(7);
}

}  // namespace

int main() {
    return ringlet::run(allocate);
}
