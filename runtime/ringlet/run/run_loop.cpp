// The parts of a run that do not depend on the main task's type.
#include <ringlet/run/run_loop.hpp>

#include <ringlet/base/log.hpp>

#include <csignal>
#include <cstdio>
#include <utility>

namespace ringlet {
namespace {

constinit thread_local RunLoop* current_loop = nullptr;

// How long a reader of the log that takes nothing may keep a run that has ended. One that goes on
// reading gets the last lines, within the stop limit.
constexpr Nanoseconds log_limit = std::chrono::seconds(1);

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
    if (current_loop == nullptr || current_loop->main_block() == nullptr) return;
    print_await_tree(*current_loop->main_block(), log_line, nullptr);
}

constinit const OperationHooks RunLoop::SignalReader::hooks{
    {.reason = "signals", .catches = false, .cancel = [](Pending&) {}}, prepare, completed};

RunLoop::RunLoop(const Limits& limits, FramePool& frames, Ring& ring, System& system)
    : scheduler_(limits, frames, ring, system),
      log_writer_(scheduler_),
      signals_(*this),
      stop_timer_(*this),
      frames_(frames) {
    current_loop = this;
}

RunLoop::~RunLoop() {
    current_loop = nullptr;
}

void RunLoop::run(TaskBlock& main) {
    main_block_ = &main;
    if (main.name == nullptr) main.name = "main";
    begin();
    scheduler_.start(main);
    scheduler_.run_until(main_.over);
    main_block_ = nullptr;
    drain();
}

void RunLoop::begin() {
    open_signals();
    scheduler_.set_turn_handler(
        [](void* loop) { static_cast<RunLoop*>(loop)->log_writer_.pump(); }, this);
    scheduler_.set_deadlock_handler(
        [](void* self) {
            RunLoop& loop = *static_cast<RunLoop*>(self);
            log::warning("nothing can wake the program any more but a signal:");
            log_await_tree();
            loop.log_writer_.pump();
            loop.scheduler_.set_deadlock_handler(nullptr, nullptr);  // once is enough
        },
        this);
    if (seal_handler != nullptr) seal_handler(true);
}

// Everything that is left is the runtime's own: closes, the log, the signals.
void RunLoop::drain() {
    stop_timer_.disarm();
    close_signals();
    log_writer_.pump();
    log_deadline_ = later(scheduler_.now(), stop_limit());
    arm_stop_limit(log_limit);
    scheduler_.drain();
    stop_timer_.disarm();
    if (seal_handler != nullptr) seal_handler(false);
    RINGLET_ASSERT(frames_.live() == 0);
}

void RunLoop::open_signals() {
    System& system = scheduler_.system();
    const auto opened = system.open_signals(handled_signals(scheduler_.limits()));
    if (!opened) return log::warning("signals cannot be handled: %s", text(opened.error()));
    signals_.descriptor = *opened;
    scheduler_.operations().start_internal(signals_);
}

void RunLoop::close_signals() {
    if (signals_.descriptor < 0) return;
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

void RunLoop::SignalReader::completed(Operation& operation, std::uint32_t) {
    auto& self = static_cast<SignalReader&>(operation);
    if (self.descriptor < 0) return;  // closed
    if (self.result() == sizeof self.info) {
        self.loop.signal_came(static_cast<int>(self.info.ssi_signo));
    }
    if (self.result() >= 0) return self.loop.scheduler_.operations().start_internal(self);
    log::warning("signals cannot be read: %s", text(Error::kernel(-self.result())));
}

void RunLoop::signal_came(int number) {
    if (number == scheduler_.limits().await_tree_signal) return log_await_tree();
    if (stop_signal_ != 0) end_by_force("a second stop signal came");
    stop_signal_ = number;
    arm_stop_limit(stop_limit());
    if (main_block_ != nullptr) scheduler_.cancel(*main_block_);
}

void RunLoop::arm_stop_limit(Nanoseconds span) {
    scheduler_.arm(stop_timer_, Clock::monotonic, later(scheduler_.now(), span));
}

Nanoseconds RunLoop::stop_limit() const {
    return std::chrono::milliseconds(scheduler_.limits().stop_limit_ms);
}

void RunLoop::StopTimer::expire(Pending& pending) {
    RunLoop& loop = static_cast<StopTimer&>(pending).loop;
    if (loop.main_block_ != nullptr) loop.end_by_force("the stop limit has passed");
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

void RunLoop::end_by_force(const char* why) {
    System& system = scheduler_.system();
    char line[128];
    std::snprintf(line, sizeof line, "ringlet: %s; ended by force with\n", why);
    system.write_error(line);
    const auto write = [](std::string_view words, void* context) {
        static_cast<System*>(context)->write_error(words);
    };
    if (main_block_ != nullptr) print_await_tree(*main_block_, write, &system);
    system.exit_now(stop_signal_ != 0 ? exit_signal_base + stop_signal_ : 1);
    std::unreachable();
}

int RunLoop::status(const TaskBlock& main) {
    if (main.outcome == Outcome::error) log::error("%s", text(main.error));
    return stop_signal_ != 0 ? exit_signal_base + stop_signal_ : 1;
}

RunReport RunLoop::report() const {
    RunReport report;
    report.high_water = scheduler_.high_water();
    report.frame_classes = frames_.classes();
    for (unsigned i = 0; i < frames_.classes(); ++i) report.frames[i] = frames_.use(i);
    report.oversized_frames = frames_.oversized();
    report.completions_overflowed = scheduler_.ring().overflowed();
    return report;
}

}  // namespace ringlet
