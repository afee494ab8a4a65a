// Runtime<limits> and run(): the one place that puts everything together.
#pragma once

#include <ringlet/base/log.hpp>
#include <ringlet/base/painted_stack.hpp>
#include <ringlet/flow/branch.hpp>
#include <ringlet/ring/kernel_ring.hpp>
#include <ringlet/ring/kernel_system.hpp>
#include <ringlet/run/limits_record.hpp>
#include <ringlet/run/run_loop.hpp>

#include <array>
#include <functional>

namespace ringlet {

// A runtime with its storage: make it static, so that its size stands in .bss.
template <Limits limits_>
class Runtime {
    static_assert(limits_.are_valid(),
                  "Limits: frame classes rise in steps of 16 bytes up to frame_class_bytes_max, "
                  "without gaps; no bound is 0; the completion queue has a maximum "
                  "(completions_max)");
    static_assert(limits_.hold_frames_up_to(frame_bytes_max),
                  "Limits: the largest frame class is smaller than the build's frame_bytes_max, so "
                  "a frame that compiles may have no class: add a class of that size to frames, or "
                  "lower the Meson option frame_bytes_max to the largest class");

public:
    static constexpr Limits limits = limits_;

    constexpr Runtime() = default;
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    // Runs `function(arguments...)`, a coroutine, as the main task on this thread, and returns when
    // it and everything it started has ended. The exit status:
    //   a Task<int>'s value, or 0 for a Task<void>
    //   1            it ended with an error, which is logged
    //   128 + n      signal n (SIGINT, SIGTERM) stopped it, and main gave no value, or 0
    //   69           io_uring, memory or threads cannot be had; said in one sentence on standard
    //                error
    //   70           this thread is inside a run() already, or another thread is
    // Threads that exist already must have SIGINT, SIGTERM and Limits::await_tree_signal blocked,
    // or the kernel may deliver them there, with their default action. Threads that are started
    // while it runs inherit that.
    template <class F, class... Arguments>
    int run(F&& function, Arguments&&... arguments) {
        const RunClaim claim;
        if (!claim.is_held()) return refuse_nested();
        Kernel kernel(*this);
        if (const auto opened = kernel.open(); !opened) {
            log::error("%s", refusal(opened.error()).c_str());
            return exit_unavailable;
        }
        return status_of(kernel.ring, kernel.system, std::forward<F>(function),
                         std::forward<Arguments>(arguments)...);
    }

    // The same on a ring and a system that are given, which outlive the run: for simulation.
    template <class F, class... Arguments>
    int run_on(Ring& ring, System& system, F&& function, Arguments&&... arguments) {
        const RunClaim claim;
        if (!claim.is_held()) return refuse_nested();
        return status_of(ring, system, std::forward<F>(function),
                         std::forward<Arguments>(arguments)...);
    }

    // For plain, synchronous code: runs `function(arguments...)` as run() does, and gives its value
    // or its error. operation_canceled: SIGINT or SIGTERM stopped it (report().stop_signal).
    // operation_not_permitted (RuntimeDetail::nested_run): a run is under way, on this thread or
    // another. Or the error of what could not be had: io_uring, locked memory, threads.
    template <class F, class... Arguments>
    auto block_on(F&& function, Arguments&&... arguments)
        -> Result<ValueOf<std::invoke_result_t<F, Arguments...>>> {
        const RunClaim claim;
        if (!claim.is_held()) return std::unexpected(nested_error);
        Kernel kernel(*this);
        if (const auto opened = kernel.open(); !opened) return std::unexpected(opened.error());
        return result_of(kernel.ring, kernel.system, std::forward<F>(function),
                         std::forward<Arguments>(arguments)...);
    }

    // The same on a ring and a system that are given.
    template <class F, class... Arguments>
    auto block_on_with(Ring& ring, System& system, F&& function, Arguments&&... arguments)
        -> Result<ValueOf<std::invoke_result_t<F, Arguments...>>> {
        const RunClaim claim;
        if (!claim.is_held()) return std::unexpected(nested_error);
        return result_of(ring, system, std::forward<F>(function),
                         std::forward<Arguments>(arguments)...);
    }

    // From any thread: has the loop call `callable()`, on its own thread, between two tasks. There
    // it may set an Event, try_put() into a Queue, cancel a task, log; it must not block. Posts of
    // one thread are called in their order. The callable is moved into the mailbox; its move must
    // not post. What was not called when the main task ends is destroyed, not called.
    // Fails, the callable untouched, with no_buffer_space (RuntimeDetail::posts) if the mailbox is
    // full, and with not_connected (RuntimeDetail::not_running) while no run is under way.
    template <class F>
    Result<void> post(F&& callable) {
        using Callable = std::decay_t<F>;
        static_assert(limits.posts > 0, "Limits::posts is 0: there is no mailbox");
        static_assert(sizeof(Callable) <= limits.post_bytes,
                      "the callable is larger than Limits::post_bytes");
        static_assert(alignof(Callable) <= Mailbox::alignment);
        static_assert(!Awaitable<std::remove_cvref_t<std::invoke_result_t<Callable&>>>,
                      "a post is a plain function: it sets an event or fills a queue for a task");
        return mailbox_.post(std::forward<F>(callable));
    }

    // What the last run used.
    const RunReport& report() const { return report_; }
    // From the next run on, reports tell of stacks, too. That costs some time at a run's begin and
    // end, and memory: the loop's stack is painted.
    void measure_stacks() { measures_stacks_ = true; }

private:
    static constexpr Error nested_error{std::errc::operation_not_permitted,
                                        RuntimeDetail::nested_run};

    // Does nothing, but must be called to be there.
    [[gnu::noinline]] static void record_limits() {
        static constexpr auto words = limits_words(limits_, sizeof(Runtime));
        leave_build_record<BuildRecord::limits, words>();
    }

    struct Kernel {
        explicit Kernel(Runtime& whose) : runtime(whose), where(requested_report()) {
            if (where != nullptr) whose.measures_stacks_ = true;
        }
        // The workers have ended by now.
        ~Kernel() {
            RunReport& report = runtime.report_;
            if (report.frame_classes == 0) return;  // there was no run
            if (runtime.measures_stacks_) {
                report.worker_stack_bytes = deepest_use(runtime.stacks_, limits.workers);
            }
            if (where != nullptr) write_report(system, where, limits, report);
        }
        Result<void> open() {
            runtime.report_ = {};
            record_limits();
            system.prepare_process();
            return ring.open(Operations::ring_size(limits), limits.bounded_workers,
                             limits.unbounded_workers);
        }
        Runtime& runtime;
        const char* const where;  // a report is wanted
        KernelSystem system;
        KernelRing ring;
    };

    // One run of a main task that gives a T.
    template <class T>
    struct Run {
        Run(Runtime& whose, Ring& ring, System& system)
            : runtime(whose),
              frames(limits, whose.storage_),
              loop(limits, frames, ring, system, {whose.mailbox_, whose.posts_, whose.stacks_}) {}

        template <class F, class... Arguments>
        void run(F&& function, Arguments&&... arguments) {
            auto task =
                std::invoke(std::forward<F>(function), std::forward<Arguments>(arguments)...);
            PaintedStack stack;
            if (runtime.measures_stacks_) stack.paint();
            if (main.begin(task, loop.owner())) loop.run(main);
            runtime.report_ = loop.report();
            runtime.report_.stack_bytes = stack.used();
            runtime.report_.stack_bytes_seen = stack.painted();
        }
        int status() {
            if (main.outcome != Outcome::value) return loop.status(main);
            if constexpr (!std::is_void_v<T>) {
                const int status = main.cell.take();
                if (status != 0) return status;
            }
            return loop.stop_signal() != 0 ? loop.status(main) : 0;
        }

        Runtime& runtime;
        FramePool frames;
        RunLoop loop;
        Branch<T> main;
    };

    template <class F, class... Arguments>
    int status_of(Ring& ring, System& system, F&& function, Arguments&&... arguments) {
        Run<ValueOf<std::invoke_result_t<F, Arguments...>>> once(*this, ring, system);
        if (!once.loop.prepare()) return exit_unavailable;
        once.run(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        return once.status();
    }
    template <class F, class... Arguments>
    auto result_of(Ring& ring, System& system, F&& function, Arguments&&... arguments)
        -> Result<ValueOf<std::invoke_result_t<F, Arguments...>>> {
        Run<ValueOf<std::invoke_result_t<F, Arguments...>>> once(*this, ring, system);
        if (const auto ready = once.loop.prepare(); !ready) return std::unexpected(ready.error());
        once.run(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        return once.main.result();
    }
    static int refuse_nested() {
        if (current_scheduler != nullptr) log::error("%s", text(nested_error));
        else emergency_write("ringlet: a run() is under way on another thread; one at a time\n");
        return exit_nested_run;
    }

    // The parts that are not there take no room.
    static constexpr std::size_t posts_bytes_ =
        Mailbox::storage_bytes(limits_.posts, limits_.post_bytes);
    static constexpr std::size_t stacks_bytes_ = worker_stacks_bytes(limits_);
    static constexpr std::size_t page_bytes_ = 4096;

    alignas(FramePool::alignment) std::byte storage_[limits_.frame_storage_bytes()]{};
    [[no_unique_address]] alignas(limits_.posts > 0 ? Mailbox::alignment : 1)
        std::array<std::byte, posts_bytes_> posts_{};
    [[no_unique_address]] alignas(limits_.workers > 0 ? page_bytes_ : 1)
        std::array<std::byte, stacks_bytes_> stacks_{};
    Mailbox mailbox_;
    RunReport report_{};
    bool measures_stacks_ = false;
};

inline Runtime<Limits{}> default_runtime;

// Runs a main task on a runtime with the default Limits: `int main() { return ringlet::run(app); }`
template <class F, class... Arguments>
int run(F&& function, Arguments&&... arguments) {
    return default_runtime.run(std::forward<F>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace ringlet
