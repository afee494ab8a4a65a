// What the running kernel has of what Ringlet relies on, in lines: `kernel RELEASE MACHINE`, then
// each step of the self-test and each further fact with `ok`, `no` or `left out`. Where run() would
// refuse the kernel, the last line is `refused: SENTENCE`, and the exit status 69.
#include <ringlet/ringlet.hpp>

#include <sys/mman.h>
#include <sys/utsname.h>

#include <array>
#include <cstdio>

using namespace ringlet;

namespace {

// What the runtime and the drivers submit; kernel_check_test.py compares.
struct Opcode {
    const char* name;
    int number;
};
constexpr Opcode opcodes[] = {
    {"nop", IORING_OP_NOP},           {"read", IORING_OP_READ},
    {"write", IORING_OP_WRITE},       {"fsync", IORING_OP_FSYNC},
    {"openat", IORING_OP_OPENAT},     {"close", IORING_OP_CLOSE},
    {"statx", IORING_OP_STATX},       {"unlinkat", IORING_OP_UNLINKAT},
    {"renameat", IORING_OP_RENAMEAT}, {"mkdirat", IORING_OP_MKDIRAT},
    {"accept", IORING_OP_ACCEPT},     {"connect", IORING_OP_CONNECT},
    {"send", IORING_OP_SEND},         {"recv", IORING_OP_RECV},
    {"sendmsg", IORING_OP_SENDMSG},   {"recvmsg", IORING_OP_RECVMSG},
    {"shutdown", IORING_OP_SHUTDOWN}, {"poll_add", IORING_OP_POLL_ADD},
    {"timeout", IORING_OP_TIMEOUT},   {"async_cancel", IORING_OP_ASYNC_CANCEL},
};

void tell(const char* name, bool is_there) {
    std::printf("%s %s\n", name, is_there ? "ok" : "no");
}

void tell_steps(const SelfTestReport& report) {
    static constexpr const char* words[] = {"not tried", "ok", "left out", "no"};
    for (std::size_t i = 0; i < self_test_steps; ++i) {
        if (report[i] == SelfTestOutcome::not_tried) continue;
        std::printf("%s %s\n", text(static_cast<SelfTestStep>(i)),
                    words[static_cast<std::size_t>(report[i])]);
    }
}

// ---- facts, each by the call itself ----

constexpr unsigned buffers = 4;
constexpr unsigned buffer_bytes = 16;
constexpr unsigned short group = 1;

// A group of provided buffers, in a page of its own.
class BufferGroup {
public:
    explicit BufferGroup(Ring& ring) : ring_(ring) {
        void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                  MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
        if (page == MAP_FAILED) return;
        shared_ = static_cast<io_uring_buf_ring*>(page);
        ::io_uring_buf_ring_init(shared_);
        for (unsigned short i = 0; i < buffers; ++i) {
            ::io_uring_buf_ring_add(shared_, bytes_[i].data(), buffer_bytes, i,
                                    ::io_uring_buf_ring_mask(buffers), i);
        }
        ::io_uring_buf_ring_advance(shared_, buffers);
        is_registered_ = ring.register_buffer_ring(shared_, buffers, group).has_value();
    }
    ~BufferGroup() {
        if (is_registered_) (void)ring_.unregister_buffer_ring(group);
        if (shared_ != nullptr) ::munmap(shared_, 4096);
    }
    BufferGroup(const BufferGroup&) = delete;
    BufferGroup& operator=(const BufferGroup&) = delete;

    bool is_registered() const { return is_registered_; }

private:
    Ring& ring_;
    io_uring_buf_ring* shared_ = nullptr;
    bool is_registered_ = false;
    std::array<std::array<char, buffer_bytes>, buffers> bytes_{};
};

// The completion that comes next, whatever it is of; a result of -ETIME: none came.
Completion next_completion(Ring& ring) {
    Completion completion{.user_data = 0, .result = -ETIME, .flags = 0};
    ring.enter(Ring::Wait::for_one, std::chrono::seconds(1));
    (void)ring.reap({&completion, 1});
    return completion;
}

// Two messages end up in two buffers, and the receive goes on.
bool receives_again_and_again(Ring& ring) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    io_uring_sqe& sqe = ring.next_sqe();
    ::io_uring_prep_recv_multishot(&sqe, ends[0], nullptr, 0, 0);
    sqe.flags |= IOSQE_BUFFER_SELECT;
    sqe.buf_group = group;
    bool goes_on = true;
    for (int i = 0; i < 2 && goes_on; ++i) {
        goes_on = ::send(ends[1], "twice", 5, MSG_NOSIGNAL) == 5;
        const Completion received = next_completion(ring);
        constexpr unsigned wanted = IORING_CQE_F_MORE | IORING_CQE_F_BUFFER;
        goes_on = goes_on && received.result == 5 && (received.flags & wanted) == wanted;
    }
    // What is still in flight goes with the ring.
    KernelSystem system;
    system.close(ends[0]);
    system.close(ends[1]);
    return goes_on;
}

void tell_about(io_uring& ring, const io_uring_params& parameters) {
    tell("EXT_ARG", (parameters.features & IORING_FEAT_EXT_ARG) != 0);
    tell("NODROP", (parameters.features & IORING_FEAT_NODROP) != 0);
    unsigned asked[2] = {1, 1};
    unsigned told[2] = {0, 0};  // zeros ask for what is set
    tell("worker limits", ::io_uring_register_iowq_max_workers(&ring, asked) == 0 &&
                              ::io_uring_register_iowq_max_workers(&ring, told) == 0 &&
                              told[0] == 1 && told[1] == 1);
    io_uring_probe* const probe = ::io_uring_get_probe_ring(&ring);
    for (const Opcode& each : opcodes) {
        std::printf("op ");
        tell(each.name, probe != nullptr && ::io_uring_opcode_supported(probe, each.number) != 0);
    }
    if (probe != nullptr) ::io_uring_free_probe(probe);
}

void tell_facts() {
    io_uring ring{};
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    const bool is_set_up = ::io_uring_queue_init_params(8, &ring, &parameters) == 0;
    tell("SINGLE_ISSUER DEFER_TASKRUN", is_set_up);
    if (!is_set_up) return;
    tell_about(ring, parameters);
    ::io_uring_queue_exit(&ring);
}

}  // namespace

int main() {
    utsname name{};
    if (::uname(&name) < 0) return 1;
    std::printf("kernel %s %s\n", name.release, name.machine);
    KernelRing ring;
    const auto opened = ring.open(Operations::ring_size(Limits{}), 1, 1);
    tell_steps(ring.self_test());
    if (!opened) {
        std::printf("refused: %s\n", refusal(opened.error()).c_str());
        return exit_unavailable;
    }
    {
        const BufferGroup provided(ring);
        tell("provided buffers", provided.is_registered());
        tell("multishot receive", provided.is_registered() && receives_again_and_again(ring));
    }
    tell_facts();
    return 0;
}
