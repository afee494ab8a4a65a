// timeout: how often and how fast endpoints answer. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

namespace {

// For each endpoint at its worst: two questions for its name, or some connections side by side.
constexpr ringlet::Limits limits{
    .tasks = 6 * timeout_app::endpoints_max + 8,
    .operations = 4 * timeout_app::endpoints_max,
    .descriptors = 6 * timeout_app::endpoints_max,
    .frames = {{128, 192}, {256, 1024}, {512, 768}, {1024, 768}, {2048, 192}, {4096, 16}},
    .bounded_workers = 2,
    .unbounded_workers = 2};
ringlet::Runtime<limits> runtime;

}  // namespace

int main(int argc, char** argv) {
    return runtime.run(timeout_app::run_command, argc, argv);
}
