// Allocates while the runtime runs: the seal must not let that pass, and must name allocate_late(),
// or, with any argument, map_late().
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>

#include <sys/mman.h>

#include <memory>

std::unique_ptr<int> kept;

// With names that other files can see, so that the program can say them.
[[gnu::noinline]] void allocate_late() {
    kept = std::make_unique<int>(7);
}
[[gnu::noinline]] void map_late() {
    constexpr std::size_t bytes = 1 << 16;
    void* const pages = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::munmap(pages, bytes);
}

namespace {

ringlet::Task<void> app(bool maps) {
    co_await ringlet::yield();
    if (maps) map_late();
    else allocate_late();
}

}  // namespace

int main(int count, char**) {
    return ringlet::run(app, count > 1);
}
