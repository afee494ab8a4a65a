// fetch: many URLs, GET. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

namespace {

// For the most that can be asked for, all of it at the stage that takes most: looking up a name,
// and trying two addresses.
constexpr unsigned workers = fetch::concurrency_max;
constexpr ringlet::Limits limits{.tasks = 4 * workers + 40,
                                 .operations = 4 * workers,
                                 .descriptors = 6 * workers,
                                 .frames = {{128, 8 * workers},
                                            {192, 12 * workers},
                                            {256, 4 * workers},
                                            {384, 10 * workers},
                                            {512, 5 * workers},
                                            {1024, 9 * workers},
                                            {1536, 2 * workers},
                                            {4096, 8}},
                                 .bounded_workers = 2,
                                 .unbounded_workers = 2};
ringlet::Runtime<limits> runtime;

}  // namespace

int main(int argc, char** argv) {
    return runtime.run(fetch::run_command, argc, argv);
}
