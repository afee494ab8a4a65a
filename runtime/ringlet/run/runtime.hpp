// Runtime<limits> and run(): the one place that puts everything together.
#pragma once

#include <ringlet/base/log.hpp>
#include <ringlet/flow/branch.hpp>
#include <ringlet/ring/kernel_ring.hpp>
#include <ringlet/ring/kernel_system.hpp>
#include <ringlet/run/run_loop.hpp>

#include <functional>
#include <optional>

namespace ringlet {

// A runtime with its storage: make it static, so that its size stands in .bss.
template <Limits limits_>
class Runtime {
    static_assert(limits_.are_valid(),
                  "Limits: frame classes rise in steps of 16 bytes up to frame_bytes_max, without "
                  "gaps; no bound is 0; the completion queue has a maximum (completions_max)");

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
    //   69           io_uring cannot be used; said in one sentence on standard error
    //   70           this thread is inside a run() already, or another thread is
    template <class F, class... Arguments>
    int run(F&& function, Arguments&&... arguments) {
        if (refuse_nested()) return exit_nested_run;
        KernelSystem system;
        system.prepare_process();
        KernelRing ring;
        const auto opened = ring.open(Operations::ring_size(limits), limits.bounded_workers,
                                      limits.unbounded_workers);
        if (!opened) {
            log::error("%s", refusal(opened.error()));
            return exit_unavailable;
        }
        return run_on(ring, system, std::forward<F>(function),
                      std::forward<Arguments>(arguments)...);
    }

    // The same on a ring and a system that are given, which outlive the run: for simulation.
    template <class F, class... Arguments>
    int run_on(Ring& ring, System& system, F&& function, Arguments&&... arguments) {
        if (refuse_nested()) return exit_nested_run;
        FramePool frames(limits, storage_);
        if (limits.lock_memory) {
            frames.prefault();
            if (const auto locked = system.lock_memory(); !locked) {
                log::error("memory cannot be locked: %s; raise the limit (ulimit -l)",
                           text(locked.error()));
                return exit_unavailable;
            }
        }
        RunLoop loop(limits, frames, ring, system);
        using T = ValueOf<std::invoke_result_t<F, Arguments...>>;
        Branch<T> main;
        auto task = std::invoke(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        if (main.begin(task, loop.owner())) loop.run(main);
        report_ = loop.report();
        if (main.outcome != Outcome::value) return loop.status(main);
        if constexpr (!std::is_void_v<T>) {
            const int status = main.cell.take();
            if (status != 0) return status;
        }
        return loop.stop_signal() != 0 ? loop.status(main) : 0;
    }

    // What the last run used.
    const RunReport& report() const { return report_; }

private:
    static bool refuse_nested() {
        if (current_scheduler != nullptr) {
            log::error("%s", text(Error(std::errc::operation_not_permitted,
                                        RuntimeDetail::nested_run)));
            return true;
        }
        if (!log::is_attached()) return false;
        // The log is the other thread's.
        emergency_write("ringlet: a run() is under way on another thread; one at a time\n");
        return true;
    }

    alignas(FramePool::alignment) std::byte storage_[limits_.frame_storage_bytes()]{};
    RunReport report_{};
};

inline Runtime<Limits{}> default_runtime;

// Runs a main task on a runtime with the default Limits: `int main() { return ringlet::run(app); }`
template <class F, class... Arguments>
int run(F&& function, Arguments&&... arguments) {
    return default_runtime.run(std::forward<F>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace ringlet
