// pipeline: records in, aggregates out. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

namespace {

constexpr ringlet::Limits limits{
    .tasks = pipeline::workers_max + 8,
    .operations = 16,
    .descriptors = 8,
    .frames = {{128, 64}, {256, 64}, {512, 64}, {1024, 32}, {2048, 8}, {4096, 4}},
    .bounded_workers = 2,
    .unbounded_workers = 2};
ringlet::Runtime<limits> runtime;

}  // namespace

int main(int argc, char** argv) {
    return runtime.run(pipeline::run_command, argc, argv);
}
