// A program for report_test.py and for program_budget_test.py: a small runtime that is used a
// little. It writes what it knows of its report itself, so that the written one can be compared.
//   report_helper           one run
//   report_helper twice     two
//   report_helper maps      one, and what the kernel has mapped for its ring
//   report_helper refused   one that cannot begin: a run() inside a run()
#include <ringlet/ringlet.hpp>

#include <cstdio>
#include <string_view>

using namespace ringlet;
using namespace std::chrono_literals;

namespace {

constexpr Limits limits{.tasks = 16,
                        .operations = 32,
                        .descriptors = 16,
                        .frames = {{128, 24}, {256, 24}, {512, 4}},
                        .workers = 1,
                        .worker_jobs = 8,
                        .posts = 4};
Runtime<limits> runtime;

Task<void> worker() {
    co_await sleep(1ms);
    co_await offload([] {});
}

Task<void> app() {
    co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 5; ++i) group.spawn(worker);
        co_return;
    });
}

void print_mappings() {
    std::FILE* const maps = std::fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != nullptr && std::fgets(line, sizeof line, maps) != nullptr) {
        if (std::string_view(line).contains("io_uring")) std::fputs(line, stdout);
    }
    if (maps != nullptr) std::fclose(maps);
}

Task<void> maps() {
    print_mappings();
    co_return;
}

Task<int> refused() {
    co_return runtime.run(app);
}

void print_report() {
    const RunReport& report = runtime.report();
    const HighWater& max = report.high_water;
    std::printf("tasks %u\noperations %u\ndescriptors %u\nworker_jobs %u\nposts %u\ntimers %u\n",
                max.tasks, max.operations, max.descriptors, max.jobs, max.posts, max.timers);
    std::printf("frame_bytes %zu\nstack_bytes %zu\nworker_stack_bytes %zu\n", max.frame_bytes,
                report.stack_bytes, report.worker_stack_bytes);
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "maps") return runtime.run(maps);
    if (what == "refused") return runtime.run(refused);
    int status = runtime.run(app);
    if (what == "twice" && status == 0) status = runtime.run(app);
    print_report();
    return status;
}
