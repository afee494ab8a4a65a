// What programs do to an emulated board at worst; verdicts_test.py looks at what is told of it.
//
//   misbehave crash    dereferences a null pointer
//   misbehave loop     never ends
//   misbehave hang     takes every processor for itself: the machine answers nobody any more
//   misbehave panic    stops the kernel
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace {

void write_to(const char* path, std::string_view text) {
    const int file = ::open(path, O_WRONLY);
    if (file < 0 || ::write(file, text.data(), text.size()) < 0) std::perror(path);
    ::close(file);
}

void spin() {
    for (volatile unsigned turns = 0;;) turns = turns + 1;
}

// Above the agent, and above the kernel's own limit for such tasks.
void hang() {
    write_to("/proc/sys/kernel/sched_rt_runtime_us", "-1");
    const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
    for (int number = 0; number < processors; ++number) {
        if (::fork() != 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(number, &one);
        ::sched_setaffinity(0, sizeof one, &one);
        const sched_param first{.sched_priority = 99};
        if (::sched_setscheduler(0, SCHED_FIFO, &first) < 0) std::perror("sched_setscheduler");
        spin();
    }
    ::pause();
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view what = count == 2 ? arguments[1] : "";
    std::printf("about to %s\n", count == 2 ? arguments[1] : "fail");
    std::fflush(stdout);
    if (what == "crash") {
        volatile int* volatile nowhere = nullptr;
        *nowhere = 1;
    }
    if (what == "loop") spin();
    if (what == "hang") hang();
    if (what == "panic") write_to("/proc/sysrq-trigger", "c");
    return 2;
}
