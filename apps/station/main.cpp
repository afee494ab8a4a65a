// station: a small firmware. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

namespace {

// Some ten tasks, a name that is looked up and connected to, a file, and five devices. Compilers
// differ in which class a frame falls into: there is room for either.
constexpr ringlet::Limits limits{.tasks = 24,
                                 .operations = 24,
                                 .descriptors = 24,
                                 .multishot_buffers = 0,
                                 .frames = {{128, 64},
                                            {256, 64},
                                            {512, 40},
                                            {1024, 24},
                                            {2048, 8},
                                            {4096, 2}},
                                 .bounded_workers = 2,
                                 .unbounded_workers = 2,
                                 .workers = 1};
ringlet::Runtime<limits> runtime;

}  // namespace

int main(int argc, char** argv) {
    return runtime.run(station::run_command, argc, argv);
}
