// timeout: how often and how fast endpoints answer. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

namespace {

// For each endpoint at its worst: two questions for its name, or some connections side by side.
// Compilers differ in which class a frame falls into: there is room for either.
constexpr unsigned endpoints = timeout_app::endpoints_max;
constexpr ringlet::Limits limits{.tasks = 6 * endpoints + 8,
                                 .operations = 4 * endpoints,
                                 .descriptors = 6 * endpoints,
                                 .frames = {{128, 12 * endpoints},
                                            {256, 20 * endpoints},
                                            {512, 16 * endpoints},
                                            {1024, 16 * endpoints},
                                            {2048, 6 * endpoints},
                                            {4096, endpoints}},
                                 .bounded_workers = 2,
                                 .unbounded_workers = 2};
ringlet::Runtime<limits> runtime;

}  // namespace

int main(int argc, char** argv) {
    return runtime.run(timeout_app::run_command, argc, argv);
}
