// KernelRing::open() where it cannot work: each in a child process, since what denies io_uring is
// for good. The child runs a program; what it says and its exit status are looked at here.
#include <ringlet/ringlet.hpp>

#include <gtest/gtest.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace ringlet {
namespace {

constexpr int cannot_be_set_up = 77;

struct Ended {
    int status = -1;
    std::string words;  // what went to standard error
};

Task<int> main_task() {
    co_await yield();
    co_return 3;
}

// Runs main_task in a child in which `deny` was called; false: it cannot be denied here.
Ended run_denied(const std::function<bool()>& deny) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::_exit(deny() ? run(main_task) : cannot_be_set_up);
    }
    ::close(ends[1]);
    Ended ended;
    char part[512];
    for (ssize_t size = 0; (size = ::read(ends[0], part, sizeof part)) > 0;) {
        ended.words.append(part, static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended;
}

// Lets a system call end with an errno, as a container's profile does.
bool deny_call(long number, int error) {
    const auto low_word = [](std::size_t offset) { return static_cast<__u32>(offset); };
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_word(offsetof(seccomp_data, nr))),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool is_a_sentence(const std::string& words) {
    return words.starts_with("error: io_uring cannot be used: ") && words.ends_with('\n') &&
           words.find('\n') == words.size() - 1 && words.find(';') != std::string::npos;
}

bool io_uring_is_denied_here() {
    return run_denied([] { return true; }).status == exit_unavailable;
}

void expect_refused(const Ended& ended, const char* cause, const char* remedy) {
    if (ended.status == cannot_be_set_up) GTEST_SKIP() << "it cannot be denied here";
    EXPECT_EQ(ended.status, exit_unavailable);
    EXPECT_TRUE(is_a_sentence(ended.words)) << ended.words;
    EXPECT_NE(ended.words.find(cause), std::string::npos) << ended.words;
    EXPECT_NE(ended.words.find(remedy), std::string::npos) << ended.words;
}

TEST(KernelRefusal, a_kernel_that_does_not_refuse_runs) {
    const Ended ended = run_denied([] { return true; });
    if (ended.status == exit_unavailable) GTEST_SKIP() << ended.words;
    EXPECT_EQ(ended.status, 3);
    EXPECT_EQ(ended.words, "");
}

TEST(KernelRefusal, a_seccomp_filter_that_answers_eperm_is_named) {
    const Ended ended = run_denied([] { return deny_call(SYS_io_uring_setup, EPERM); });
    expect_refused(ended, "seccomp", "allow io_uring_setup");
}

TEST(KernelRefusal, a_seccomp_filter_that_answers_enosys_is_named) {
    const Ended ended = run_denied([] { return deny_call(SYS_io_uring_setup, ENOSYS); });
    expect_refused(ended, "seccomp", "allow io_uring_setup");
}

TEST(KernelRefusal, a_seccomp_filter_that_denies_only_register_is_named) {
    const Ended ended = run_denied([] { return deny_call(SYS_io_uring_register, EPERM); });
    expect_refused(ended, "seccomp", "io_uring_register");
}

TEST(KernelRefusal, a_seccomp_filter_that_denies_only_enter_is_named) {
    const Ended ended = run_denied([] { return deny_call(SYS_io_uring_enter, EPERM); });
    expect_refused(ended, "seccomp", "io_uring_enter");
}

TEST(KernelRefusal, an_old_kernel_is_named_with_the_one_that_is_needed) {
    const Ended ended = run_denied([] {
        constexpr unsigned long uname26 = 0x0020000;  // uname(2) tells 2.6.x from now on
        return ::personality(uname26) >= 0;
    });
    expect_refused(ended, "older than Linux 6.1", "boot a kernel 6.1 or newer");
}

TEST(KernelRefusal, too_little_locked_memory_is_named_with_its_limit) {
    const Ended ended = run_denied([] {
        const rlimit nothing{0, 0};
        constexpr uid_t nobody = 65534;  // root is above the limit
        if (::setrlimit(RLIMIT_MEMLOCK, &nothing) != 0) return false;
        if (::getuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0) return false;
        return ::getuid() != 0;
    });
    if (ended.status == 3) GTEST_SKIP() << "this kernel does not count a ring as locked memory";
    expect_refused(ended, "RLIMIT_MEMLOCK", "raise it (ulimit -l)");
}

TEST(KernelRefusal, a_process_without_descriptors_left_is_told_so) {
    const Ended ended = run_denied([] {
        const rlimit few{3, 3};
        return ::setrlimit(RLIMIT_NOFILE, &few) == 0;
    });
    expect_refused(ended, "descriptor", "raise the limit (ulimit -n)");
}

// The self-test takes some more than the ring, one after the other.
TEST(KernelRefusal, with_each_number_of_descriptors_it_runs_or_is_told_that_they_are_too_few) {
    if (io_uring_is_denied_here()) GTEST_SKIP() << "io_uring is denied here";
    bool ran = false;
    for (rlim_t limit = 3; limit < 32; ++limit) {
        const Ended ended = run_denied([&] {
            const rlimit few{limit, limit};
            return ::setrlimit(RLIMIT_NOFILE, &few) == 0;
        });
        if (ended.status == exit_unavailable) {
            EXPECT_FALSE(ran) << limit;
            expect_refused(ended, "descriptor", "raise the limit (ulimit -n)");
        } else {
            EXPECT_EQ(ended.status, 3) << limit;
            EXPECT_EQ(ended.words, "") << limit;
            ran = true;
        }
    }
    EXPECT_TRUE(ran);
}

// ---- the self-test ----

// Lets io_uring_enter(2) end with an errno if it has a time limit.
bool deny_limited_waits(int error) {
    constexpr std::size_t flags = offsetof(seccomp_data, args) + 3 * sizeof(__u64);
    constexpr auto offset = static_cast<__u32>(flags);  // of the low word: little endian
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offsetof(seccomp_data, nr))),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(SYS_io_uring_enter), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IORING_ENTER_EXT_ARG, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(KernelRefusal, a_kernel_that_does_not_pass_the_self_test_is_named_with_the_step) {
    if (io_uring_is_denied_here()) GTEST_SKIP() << "io_uring is denied here";
    const Ended ended = run_denied([] { return deny_limited_waits(EFAULT); });
    expect_refused(ended, "self-test, nop: Bad address", "boot another kernel");
}

TEST(KernelRefusal, a_kernel_that_takes_no_operation_gives_no_answer) {
    if (io_uring_is_denied_here()) GTEST_SKIP() << "io_uring is denied here";
    const Ended ended = run_denied([] { return deny_limited_waits(0); });
    expect_refused(ended, "self-test, nop: no answer", "boot another kernel");
}

TEST(KernelRefusal, a_seccomp_filter_that_denies_waits_with_a_time_limit_is_named) {
    const Ended ended = run_denied([] { return deny_limited_waits(EPERM); });
    expect_refused(ended, "seccomp", "io_uring_enter");
}

// It is no fault of the ring.
TEST(KernelRefusal, a_sandbox_without_sockets_or_pipes_does_not_refuse) {
    if (io_uring_is_denied_here()) GTEST_SKIP() << "io_uring is denied here";
    for (const long call : {SYS_socket, SYS_bind, SYS_listen, SYS_pipe2}) {
        const Ended ended = run_denied([&] { return deny_call(call, EPERM); });
        if (ended.status == cannot_be_set_up) GTEST_SKIP() << "it cannot be denied here";
        EXPECT_EQ(ended.status, 3) << call;
        EXPECT_EQ(ended.words, "") << call;
    }
}

// The sysctl is the machine's, so it is left alone: only the words.
TEST(KernelRefusal, each_cause_has_a_sentence_with_its_remedy) {
    const Error old_kernel(std::errc::function_not_supported, RuntimeDetail::old_kernel);
    const Error denied(std::errc::function_not_supported, RuntimeDetail::ring_denied);
    const Error memory(std::errc::not_enough_memory, RuntimeDetail::ring_memory);
    const Error descriptors(std::errc::too_many_files_open, Domain::kernel);
    const Error all_descriptors(std::errc::too_many_files_open_in_system, Domain::kernel);
    for (const Error error : {old_kernel, denied, memory, descriptors, all_descriptors}) {
        const std::string words = std::string("error: ") + refusal(error).c_str() + "\n";
        EXPECT_TRUE(is_a_sentence(words)) << words;
    }
}

TEST(KernelRefusal, the_sysctl_is_named_where_it_is_the_cause) {
    const Error denied(std::errc::operation_not_permitted, RuntimeDetail::ring_denied);
    char digit = '0';
    const int file = ::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY);
    if (file < 0 || ::read(file, &digit, 1) != 1) GTEST_SKIP() << "no such sysctl here";
    ::close(file);
    const std::string words = refusal(denied).c_str();
    EXPECT_EQ(words.find("sysctl -w") != std::string::npos, digit != '0');
}

}  // namespace
}  // namespace ringlet
