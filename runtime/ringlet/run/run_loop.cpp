// The parts of a run that do not depend on the main task's type.
#include <ringlet/run/run_loop.hpp>

#include <ringlet/base/last_words.hpp>
#include <ringlet/base/log.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

namespace ringlet {
namespace {

constinit thread_local RunLoop* current_loop = nullptr;

// How long a reader of the log that takes nothing may keep a run that has ended. One that goes on
// reading gets the last lines, within the stop limit.
constexpr Nanoseconds log_limit = std::chrono::seconds(1);

// How long signals wait when the kernel was too short of memory to read them.
constexpr Nanoseconds signal_pause = std::chrono::milliseconds(100);

SignalSet handled_signals(const Limits& limits) {
    SignalSet signals = signal_bit(SIGINT) | signal_bit(SIGTERM);
    if (limits.await_tree_signal != 0) signals |= signal_bit(limits.await_tree_signal);
    return signals;
}

void log_line(std::string_view line, void*) {
    log::info("%.*s", static_cast<int>(line.size()) - 1, line.data());  // without its newline
}

}  // namespace

void log_await_tree() {
    if (current_loop != nullptr) current_loop->log_tree();
}

void print_await_tree(void (*sink)(std::string_view, void*), void* context) {
    if (current_loop != nullptr) current_loop->print_tree(sink, context);
}

void stop_run(int signal) {
    if (current_loop != nullptr) current_loop->signal_came(signal);
}

bool run_is_stopping() {
    return current_loop != nullptr && current_loop->stop_signal() != 0;
}

void RunLoop::log_tree() {
    print_tree(log_line, nullptr);
}

void RunLoop::print_tree(void (*sink)(std::string_view, void*), void* context) {
    if (main_block_ != nullptr) print_await_tree(*main_block_, sink, context);
    workers_.print_abandoned(sink, context);
}

constinit const OperationHooks RunLoop::SignalReader::hooks{
    {.reason = "signals", .catches = false, .cancel = [](Pending&) {}}, prepare, completed};

[[gnu::cold]] RunLoop::RunLoop(const Limits& limits, FramePool& frames, Ring& ring, System& system,
                 const RunStorage& storage)
    : scheduler_(limits, frames, ring, system),
      log_writer_(scheduler_),
      waker_(scheduler_),
      workers_(scheduler_, waker_),
      storage_(storage),
      signals_(*this),
      signal_pause_(*this),
      stop_timer_(*this),
      frames_(frames) {
    current_loop = this;
}

[[gnu::cold]] RunLoop::~RunLoop() {
    current_loop = nullptr;
}

[[gnu::cold]] Result<void> RunLoop::prepare() {
    if (scheduler_.limits().lock_memory) {
        if (const auto locked = lock_memory(); !locked) return locked;
    }
    if (!has_outside()) return {};
    if (const auto opened = waker_.open(); !opened) {
        log::error("other threads cannot wake the loop: %s", text(opened.error()));
        return opened;
    }
    return start_workers();
}

Result<void> RunLoop::lock_memory() {
    frames_.prefault();
    const auto locked = scheduler_.system().lock_memory();
    if (!locked) {
        log::error("memory cannot be locked: %s; raise the limit (ulimit -l)",
                   text(locked.error()));
    }
    return locked;
}

Result<void> RunLoop::start_workers() {
    const auto started = workers_.start(storage_.stacks);
    if (!started) {
        const bool small = started.error() == std::errc::invalid_argument;
        log::error("worker threads cannot be started: %s; raise %s", text(started.error()),
                   small ? "Limits::worker_stack_bytes" : "the limit of threads (ulimit -u)");
    }
    return started;
}

void RunLoop::run(TaskBlock& main) {
    main_block_ = &main;
    if (main.name == nullptr) main.name = "main";
    begin();
    scheduler_.start(main);
    scheduler_.run_until(main_.over);
    main_block_ = nullptr;
    wait_for_abandoned();
    drain();
}

[[gnu::cold]] void RunLoop::begin() {
    open_signals();
    if (has_outside()) waker_.start();
    const Limits& limits = scheduler_.limits();
    if (limits.posts > 0) storage_.mailbox.open(storage_.posts, limits.post_bytes, waker_);
    scheduler_.set_sender([](void* loop) { static_cast<RunLoop*>(loop)->send_out(); }, this);
    if (has_outside()) {
        scheduler_.set_receiver([](void* loop) { static_cast<RunLoop*>(loop)->take_in(); }, this);
    }
    scheduler_.set_deadlock_handler(
        [](void* loop) { static_cast<RunLoop*>(loop)->warn_of_deadlock(); }, this);
    if (seal_handler != nullptr) seal_handler(true);
}

// What this turn has for others.
void RunLoop::send_out() {
    log_writer_.pump();
    workers_.hand_over();
}

// What other threads have for this turn.
void RunLoop::take_in() {
    if (!waker_.was_told()) return;
    workers_.collect();
    if (storage_.mailbox.is_open()) storage_.mailbox.run();
}

[[gnu::cold]] void RunLoop::warn_of_deadlock() {
    if (!workers_.is_idle() || storage_.mailbox.is_open()) return;
    log::warning("nothing can wake the program any more but a signal:");
    log_await_tree();
    log_writer_.pump();
    scheduler_.set_deadlock_handler(nullptr, nullptr);  // once is enough
}

void RunLoop::wait_for_abandoned() {
    storage_.mailbox.close();
    if (workers_.is_idle()) return;
    if (stop_signal_ == 0) arm_stop_limit(stop_limit());
    scheduler_.run_until(workers_.is_idle());
}

// Everything that is left is the runtime's own: closes, the log, the signals.
[[gnu::cold]] void RunLoop::drain() {
    stop_timer_.disarm();
    close_signals();
    waker_.stop();
    log_writer_.pump();
    log_deadline_ = later(scheduler_.now(), stop_limit());
    arm_stop_limit(log_limit);
    scheduler_.drain();
    stop_timer_.disarm();
    if (seal_handler != nullptr) seal_handler(false);
    RINGLET_ASSERT(frames_.live() == 0);
}

[[gnu::cold]] void RunLoop::open_signals() {
    System& system = scheduler_.system();
    const auto opened = system.open_signals(handled_signals(scheduler_.limits()));
    if (!opened) return log::warning("signals cannot be handled: %s", text(opened.error()));
    signals_.descriptor = *opened;
    scheduler_.operations().start_internal(signals_);
}

[[gnu::cold]] void RunLoop::close_signals() {
    if (signals_.descriptor < 0) return;
    signal_pause_.disarm();
    if (!signals_.is_idle()) scheduler_.operations().cancel(signals_);
    scheduler_.system().close(signals_.descriptor);  // the reader holds a reference of its own
    // One that asks for the tree is too late; one that stops the process may do so.
    const int tree_signal = scheduler_.limits().await_tree_signal;
    if (tree_signal != 0) scheduler_.system().discard_signals(signal_bit(tree_signal));
    scheduler_.system().unblock_signals(handled_signals(scheduler_.limits()));
    signals_.descriptor = -1;
}

void RunLoop::SignalReader::prepare(Operation& operation, io_uring_sqe& sqe) {
    auto& self = static_cast<SignalReader&>(operation);
    ::io_uring_prep_read(&sqe, self.descriptor, &self.info, sizeof self.info, 0);
}

[[gnu::cold]] void RunLoop::SignalReader::completed(Operation& operation, std::uint32_t) {
    auto& self = static_cast<SignalReader&>(operation);
    if (self.descriptor < 0) return;  // closed
    if (self.result() == sizeof self.info) {
        self.loop.signal_came(static_cast<int>(self.info.ssi_signo));
    }
    Scheduler& scheduler = self.loop.scheduler_;
    if (self.result() >= 0) return scheduler.operations().start_internal(self);
    // What is pending stays pending, so nothing is lost but time.
    if (self.result() == -ENOMEM || self.result() == -EAGAIN) {
        const Instant when = later(scheduler.now(), signal_pause);
        return scheduler.arm(self.loop.signal_pause_, Clock::monotonic, when);
    }
    log::warning("signals cannot be read: %s", text(Error::kernel(-self.result())));
}

void RunLoop::SignalPause::expire(Pending& pending) {
    RunLoop& loop = static_cast<SignalPause&>(pending).loop;
    loop.scheduler_.operations().start_internal(loop.signals_);
}

[[gnu::cold]] void RunLoop::signal_came(int number) {
    if (number == scheduler_.limits().await_tree_signal) return log_await_tree();
    if (stop_signal_ != 0) {
        // Not before all that has completed is taken in: a write of the log may be among it.
        told_twice_ = true;
        return arm_stop_limit(Nanoseconds::zero());
    }
    stop_signal_ = number;
    arm_stop_limit(stop_limit());
    if (main_block_ != nullptr) scheduler_.cancel(*main_block_);
}

[[gnu::cold]] void RunLoop::arm_stop_limit(Nanoseconds span) {
    stop_timer_.disarm();
    scheduler_.arm(stop_timer_, Clock::monotonic, later(scheduler_.now(), span));
}

Nanoseconds RunLoop::stop_limit() const {
    return std::chrono::milliseconds(scheduler_.limits().stop_limit_ms);
}

[[gnu::cold]] void RunLoop::StopTimer::expire(Pending& pending) {
    RunLoop& loop = static_cast<StopTimer&>(pending).loop;
    if (loop.told_twice_) loop.end_by_force("a second stop signal came");
    const bool goes_on = loop.main_block_ != nullptr || !loop.workers_.is_idle();
    if (goes_on) loop.end_by_force("the stop limit has passed");
    // The run has ended, and only its own operations linger: first the log has to give up.
    if (loop.log_is_late_) loop.end_by_force("an operation does not end");
    const std::uint64_t log_before = std::exchange(loop.log_seen_, loop.log_writer_.written());
    const bool log_goes_on = loop.log_seen_ != log_before;
    if (log_goes_on && loop.scheduler_.now() < loop.log_deadline_) {
        return loop.arm_stop_limit(log_limit);
    }
    loop.log_is_late_ = true;
    loop.log_writer_.abandon();
    loop.arm_stop_limit(loop.stop_limit());
}

[[gnu::cold]] void RunLoop::end_by_force(const char* why) {
    System& system = scheduler_.system();
    const auto write = [](std::string_view words, void* context) {
        static_cast<System*>(context)->write_error(words);
    };
    // What was logged so far may be what explains it; a write in flight may bring some of it twice.
    log::drain(write, &system);
    char line[128];
    std::snprintf(line, sizeof line, "ringlet: %s; ended by force with\n", why);
    system.write_error(line);
    print_tree(write, &system);
    system.exit_now(stop_signal_ != 0 ? exit_signal_base + stop_signal_ : 1);
    std::unreachable();
}

int RunLoop::status(const TaskBlock& main) {
    if (main.outcome == Outcome::error) log::error("%s", text(main.error));
    return stop_signal_ != 0 ? exit_signal_base + stop_signal_ : 1;
}

[[gnu::cold]] RunReport RunLoop::report() const {
    RunReport report;
    report.high_water = scheduler_.high_water();
    report.high_water.jobs = workers_.jobs_max();
    report.high_water.posts = storage_.mailbox.high_water();
    report.high_water.timers = TimerQueue::armed_max();
    report.stop_signal = stop_signal_;
    report.worker_wakes = workers_.wakes();
    report.loop_wakes = waker_.calls();
    report.frame_classes = frames_.classes();
    for (unsigned i = 0; i < frames_.classes(); ++i) report.frames[i] = frames_.use(i);
    report.high_water.frame_bytes = frames_.bytes_max();
    report.oversized_frames = frames_.oversized();
    report.completions_overflowed = scheduler_.ring().overflowed();
    return report;
}

}  // namespace ringlet
