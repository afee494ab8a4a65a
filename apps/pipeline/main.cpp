// pipeline: records in, aggregates out. See --help.
#include <command.hpp>

#include <ringlet/run/runtime.hpp>

#include <fcntl.h>

namespace {

constexpr ringlet::Limits limits{
    .tasks = pipeline::workers_max + 8,
    .operations = 16,
    .descriptors = 8,
    .frames = {{128, 64}, {256, 64}, {512, 64}, {1024, 32}, {2048, 8}, {4096, 4}},
    .bounded_workers = 2,
    .unbounded_workers = 2};
ringlet::Runtime<limits> runtime;

// Whoever starts us without a standard stream leaves its number to the next file that is opened:
// messages would end in the output. What stands there now fails, as the closed stream did.
void occupy_standard_streams() {
    for (int number = 0; number <= 2; ++number) {
        if (::fcntl(number, F_GETFD) >= 0) continue;
        const int opened = ::open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY);
        static_cast<void>(opened);  // is `number`: the lowest that is free
    }
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_streams();
    return runtime.run(pipeline::run_command, argc, argv);
}
