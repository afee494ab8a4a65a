// Allocates while the runtime runs: the seal must not let that pass, and must name allocate_late().
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>

#include <memory>

std::unique_ptr<int> kept;

// With a name that other files can see, so that the program can say it.
[[gnu::noinline]] void allocate_late() {
    kept = std::make_unique<int>(7);
}

namespace {

ringlet::Task<void> app() {
    co_await ringlet::yield();
    allocate_late();
}

}  // namespace

int main() {
    return ringlet::run(app);
}
