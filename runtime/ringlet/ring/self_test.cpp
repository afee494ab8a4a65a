// The self-test's steps. Each starts one or two operations and waits until both are answered.
#include <ringlet/ring/self_test.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <poll.h>
#include <utility>

namespace ringlet {
namespace {

constexpr Nanoseconds patience = std::chrono::seconds(1);   // of a sleep
constexpr Nanoseconds nap = std::chrono::microseconds(10);  // what a right kernel sleeps
constexpr char written[8] = {'s', 'e', 'l', 'f', 't', 'e', 's', 't'};
constexpr int any_descriptor = INT_MAX;  // as what is expected
constexpr int any_result = INT_MIN;      // the same: the step judges it
constexpr std::uint64_t wherever_it_is = ~std::uint64_t{0};

// The operations of a step differ in the upper half alone, as an operation's generations do, and in
// more than one bit.
constexpr std::uint64_t user_data_of(SelfTestStep step, unsigned number) {
    constexpr std::uint64_t pattern = 0xA5C3'0F1E'9E3C'F000;
    return pattern + (std::uint64_t{3 * number} << 48) + static_cast<unsigned>(step);
}

// Who is short of something has a kernel that says so, not a wrong one.
bool is_shortage(std::errc code) {
    return code == std::errc::too_many_files_open || code == std::errc::not_enough_memory ||
           code == std::errc::too_many_files_open_in_system;
}

class Descriptor {
public:
    explicit Descriptor(System& system) : system_(system) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    void take(int number) { number_ = number; }
    void close() {
        if (number_ >= 0) system_.close(std::exchange(number_, -1));
    }
    int get() const { return number_; }

private:
    System& system_;
    int number_ = -1;
};

// A step gives false if it must be left out.
class SelfTest {
public:
    SelfTest(Ring& ring, System& system)
        : ring_(ring), system_(system), reading_end_(system), writing_end_(system) {}

    Result<bool> run(SelfTestStep step);

private:
    struct Awaited {
        std::uint64_t user_data = 0;
        int expected = 0;
        int result = 0;
        bool is_answered = false;
    };
    static constexpr unsigned at_once_max = 2;

    Result<bool> run_once();
    Result<bool> nop();
    Result<bool> timeout();
    Result<bool> wait();
    Result<bool> pipe_read();
    Result<bool> cancel();
    Result<bool> poll();
    Result<bool> accept();

    Result<bool> has_pipe();
    Result<SocketAddress> listen(Descriptor& listener);
    Result<bool> left_out(Error error) const;
    Result<bool> unless_denied(Error error) const;

    template <class Prepare>
    void start(int expected, Prepare prepare);
    void start_timeout(int expected, Nanoseconds span);
    void start_read();
    void start_write();
    Result<bool> collect();
    Result<bool> take(const Completion& completion);
    Result<bool> judge(int result, int expected) const;
    // On the clock of the timeouts, so that a board which was suspended is late, too.
    bool is_late() const { return system_.now(Clock::boottime) >= deadline_; }
    std::unexpected<Error> wrong(SelfTestFault fault, std::errc code) const {
        return std::unexpected(self_test_error(step_, fault, code));
    }

    Ring& ring_;
    System& system_;
    SelfTestStep step_ = SelfTestStep::nop;
    Instant deadline_ = 0;  // of the step
    Awaited awaited_[at_once_max];
    unsigned started_ = 0;
    unsigned answered_ = 0;
    Descriptor reading_end_;
    Descriptor writing_end_;
    __kernel_timespec time_{};
    char read_[sizeof written]{};
};

Result<bool> SelfTest::run(SelfTestStep step) {
    step_ = step;
    const Result<bool> done = run_once();
    const bool late = !done && done.error().domain() == Domain::self_test &&
                      fault_of(done.error()) == SelfTestFault::late;
    // A process that was stopped or starved for so long is late, too, but hardly twice.
    return late ? run_once() : done;
}

Result<bool> SelfTest::run_once() {
    started_ = answered_ = 0;
    deadline_ = later(system_.now(Clock::boottime), patience);
    switch (step_) {
        case SelfTestStep::nop: return nop();
        case SelfTestStep::timeout: return timeout();
        case SelfTestStep::wait: return wait();
        case SelfTestStep::pipe_read: return pipe_read();
        case SelfTestStep::cancel: return cancel();
        case SelfTestStep::poll: return poll();
        case SelfTestStep::accept: return accept();
    }
    std::unreachable();
}

// ---- the steps ----

Result<bool> SelfTest::nop() {
    start(0, [](io_uring_sqe* sqe) { ::io_uring_prep_nop(sqe); });
    return collect();
}

// The sleep ends by the completion, or is late: then the limit in collect() ended it.
Result<bool> SelfTest::timeout() {
    start_timeout(-ETIME, nap);
    const Result<bool> done = collect();
    if (done && is_late()) return wrong(SelfTestFault::late, std::errc::timed_out);
    return done;
}

// The other way round: behind the limit is a timeout, which the last step has shown to work.
Result<bool> SelfTest::wait() {
    start_timeout(any_result, patience);
    ring_.enter(Ring::Wait::for_one, nap);
    start(any_result, [this](io_uring_sqe* sqe) {
        ::io_uring_prep_cancel64(sqe, awaited_[0].user_data, 0);
    });
    if (const auto done = collect(); !done) return done;
    const int ended = awaited_[0].result;
    const int cancelled = awaited_[1].result;
    const bool was_gone = cancelled == -ENOENT || cancelled == -EALREADY;
    if (ended == -ETIME && was_gone) return wrong(SelfTestFault::late, std::errc::timed_out);
    const Result<bool> timed = judge(ended, -ECANCELED);
    if (!timed && ended != -ETIME) return timed;  // then the cancel found nothing, rightly
    const Result<bool> found = judge(cancelled, 0);
    return found ? timed : found;
}

Result<bool> SelfTest::pipe_read() {
    if (const auto pipe = has_pipe(); !pipe || !*pipe) return pipe;
    start_read();
    start_write();
    const Result<bool> done = collect();
    if (done && std::memcmp(read_, written, sizeof read_) != 0) {
        return wrong(SelfTestFault::bytes, std::errc::bad_message);
    }
    return done;
}

Result<bool> SelfTest::cancel() {
    if (const auto pipe = has_pipe(); !pipe || !*pipe) return pipe;
    start_read();
    awaited_[0].expected = -ECANCELED;
    start(0, [this](io_uring_sqe* sqe) {
        ::io_uring_prep_cancel64(sqe, awaited_[0].user_data, 0);
    });
    return collect();
}

Result<bool> SelfTest::poll() {
    if (const auto pipe = has_pipe(); !pipe || !*pipe) return pipe;
    start(POLLIN, [this](io_uring_sqe* sqe) {
        ::io_uring_prep_poll_add(sqe, reading_end_.get(), POLLIN);
    });
    start_write();
    return collect();
}

// The connection stands before it is accepted, so a sandbox that denies it leaves nothing parked.
Result<bool> SelfTest::accept() {
    reading_end_.close();
    writing_end_.close();
    Descriptor listener(system_);
    Descriptor connecting(system_);
    Descriptor accepted(system_);
    const Result<SocketAddress> address = listen(listener);
    if (!address) return left_out(address.error());
    const Result<int> socket = system_.socket(AF_UNIX, SOCK_STREAM, 0);
    if (!socket) return left_out(socket.error());
    connecting.take(*socket);

    start(0, [&](io_uring_sqe* sqe) {
        ::io_uring_prep_connect(sqe, connecting.get(), address->get(), address->size);
    });
    if (const auto done = collect(); !done) return unless_denied(done.error());
    start(any_descriptor, [&](io_uring_sqe* sqe) {
        ::io_uring_prep_accept(sqe, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    });
    const Result<bool> done = collect();
    if (!done) return unless_denied(done.error());
    accepted.take(awaited_[1].result);
    return true;
}

// ---- what they need ----

// One for all steps, so that a start is cheap.
Result<bool> SelfTest::has_pipe() {
    if (reading_end_.get() >= 0) return true;
    const auto ends = system_.pipe();
    if (!ends) return left_out(ends.error());
    reading_end_.take((*ends)[0]);
    writing_end_.take((*ends)[1]);
    return true;
}

// At a name that is no file and that the kernel makes up (unix(7), "autobind").
Result<SocketAddress> SelfTest::listen(Descriptor& listener) {
    constexpr int backlog = 4;
    SocketAddress nameless;
    nameless.storage.ss_family = AF_UNIX;
    nameless.size = sizeof nameless.storage.ss_family;
    const Result<int> socket = system_.socket(AF_UNIX, SOCK_STREAM, 0);
    if (!socket) return std::unexpected(socket.error());
    listener.take(*socket);
    const Result<void> bound = system_.bind(*socket, nameless);
    if (!bound) return std::unexpected(bound.error());
    const Result<void> listens = system_.listen(*socket, backlog);
    if (!listens) return std::unexpected(listens.error());
    return system_.local_address(*socket);
}

Result<bool> SelfTest::left_out(Error error) const {
    if (is_shortage(error.code())) return std::unexpected(error);
    return false;
}

// What security modules answer about sockets.
Result<bool> SelfTest::unless_denied(Error error) const {
    const std::errc code = error.code();
    if (code == std::errc::permission_denied || code == std::errc::operation_not_permitted) {
        return false;
    }
    return std::unexpected(error);
}

// ---- operations ----

template <class Prepare>
void SelfTest::start(int expected, Prepare prepare) {
    Awaited& awaited = awaited_[started_];
    awaited = {.user_data = user_data_of(step_, started_), .expected = expected};
    ++started_;
    io_uring_sqe& sqe = ring_.next_sqe();
    prepare(&sqe);
    sqe.user_data = awaited.user_data;
}

// As the runtime's own is (task/boottime_alarm.hpp).
void SelfTest::start_timeout(int expected, Nanoseconds span) {
    const Instant when = later(system_.now(Clock::boottime), span);
    time_ = {.tv_sec = when / 1'000'000'000, .tv_nsec = when % 1'000'000'000};
    start(expected, [this](io_uring_sqe* sqe) {
        ::io_uring_prep_timeout(sqe, &time_, 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_BOOTTIME);
    });
}

void SelfTest::start_read() {
    start(sizeof read_, [this](io_uring_sqe* sqe) {
        ::io_uring_prep_read(sqe, reading_end_.get(), read_, sizeof read_, wherever_it_is);
    });
}

void SelfTest::start_write() {
    start(sizeof written, [this](io_uring_sqe* sqe) {
        ::io_uring_prep_write(sqe, writing_end_.get(), written, sizeof written, wherever_it_is);
    });
}

// Until all that was started is answered, or it has slept twice in vain: who is stopped for so long
// in the first sleep is not judged by it.
Result<bool> SelfTest::collect() {
    constexpr unsigned sleeps = 2;
    for (unsigned slept = 0; answered_ < started_; ++slept) {
        if (slept >= sleeps && is_late()) {
            return wrong(SelfTestFault::no_answer, std::errc::timed_out);
        }
        ring_.enter(Ring::Wait::for_one, patience);
        Completion completion{};
        while (ring_.reap({&completion, 1}) == 1) {
            if (const auto taken = take(completion); !taken) return taken;
        }
    }
    return true;
}

Result<bool> SelfTest::take(const Completion& completion) {
    Awaited* const end = awaited_ + started_;
    Awaited* const found = std::find_if(awaited_, end, [&](const Awaited& each) {
        return each.user_data == completion.user_data && !each.is_answered;
    });
    if (found == end) return wrong(SelfTestFault::user_data, std::errc::bad_message);
    found->is_answered = true;
    found->result = completion.result;
    ++answered_;
    return judge(found->result, found->expected);
}

Result<bool> SelfTest::judge(int result, int expected) const {
    if (result == expected || expected == any_result) return true;
    if (result >= 0 && expected == any_descriptor) return true;
    if (result >= 0) return wrong(SelfTestFault::result, std::errc::bad_message);
    const auto code = static_cast<std::errc>(-result);
    if (is_shortage(code)) return std::unexpected(Error::kernel(-result));
    return wrong(SelfTestFault::error, code);
}

}  // namespace

[[gnu::cold]] const char* text(SelfTestStep step) {
    switch (step) {
        case SelfTestStep::nop: return "nop";
        case SelfTestStep::timeout: return "timeout";
        case SelfTestStep::wait: return "wait";
        case SelfTestStep::pipe_read: return "pipe read";
        case SelfTestStep::cancel: return "cancel";
        case SelfTestStep::poll: return "poll";
        case SelfTestStep::accept: return "accept";
    }
    return "unknown step";
}

[[gnu::cold]] const char* text_of_fault(Error error) {
    switch (fault_of(error)) {
        case SelfTestFault::entry:
        case SelfTestFault::error: return text(Error(error.code()));
        case SelfTestFault::result: return "a wrong result";
        case SelfTestFault::bytes: return "wrong bytes";
        case SelfTestFault::user_data: return "a wrong user_data";
        case SelfTestFault::late: return "too late";
        case SelfTestFault::no_answer: return "no answer";
    }
    return "unknown fault";
}

[[gnu::cold]] Result<void> run_self_test(Ring& ring, System& system, SelfTestReport& report) {
    SelfTest test(ring, system);
    report = {};
    for (std::size_t i = 0; i < self_test_steps; ++i) {
        const Result<bool> done = test.run(static_cast<SelfTestStep>(i));
        if (!done) {
            const bool failed = done.error().domain() == Domain::self_test;
            if (failed) report[i] = SelfTestOutcome::failed;
            return std::unexpected(done.error());
        }
        report[i] = *done ? SelfTestOutcome::passed : SelfTestOutcome::left_out;
    }
    return {};
}

}  // namespace ringlet
