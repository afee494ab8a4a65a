// fetch: many URLs, GET. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

namespace {

// For the most that can be asked for, all of it at the stage that takes most: looking up a name,
// and trying two addresses. Compilers and architectures differ in which class a frame falls into:
// there is room for each.
constexpr unsigned workers = fetch::concurrency_max;
constexpr ringlet::Limits limits{.tasks = 4 * workers + 40,
                                 .operations = 4 * workers,
                                 .descriptors = 6 * workers,
                                 .frames = {{128, 22 * workers},
                                            {256, 18 * workers},
                                            {512, 16 * workers},
                                            {1024, 11 * workers},
                                            {1536, 2 * workers},
                                            {4096, 8}},
                                 .bounded_workers = 2,
                                 .unbounded_workers = 2};
ringlet::Runtime<limits> runtime;

}  // namespace

int main(int argc, char** argv) {
    return runtime.run(fetch::run_command, argc, argv);
}
