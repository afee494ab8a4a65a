// Signals: signals as something to await, SIGHUP for "read the configuration again" above all.
//
//   auto signals = co_await Signals::open(SIGHUP, SIGUSR2);
//   for (;;) {
//       const int number = co_await signals.next();
//       ...
//   }
//
// SIGINT and SIGTERM are run()'s: they cancel the main task; and so is Limits::await_tree_signal.
#pragma once

#include <ringlet/io/descriptor.hpp>
#include <ringlet/ring/system.hpp>
#include <ringlet/task/task.hpp>

#include <concepts>
#include <csignal>

namespace ringlet {

class Signals {
public:
    Signals(Signals&& other) noexcept
        : descriptor_(std::move(other.descriptor_)), set_(std::exchange(other.set_, 0)) {}
    Signals& operator=(Signals&&) = delete;
    // From now on the signals do to the process what they did before.
    ~Signals();

    // Takes the signals with these numbers out of their usual way, for the loop's thread: threads
    // that exist already must block them, too. Synchronous. One Signals a number at a time.
    //
    // Errors: invalid_argument (Domain::app) for a number that is no signal's, that cannot be
    // caught, that stands for a fault of the program (SIGSEGV, ...), or that is run()'s;
    // too_many_files_open with RuntimeDetail::descriptors at Limits::descriptors; the kernel's.
    // Source: signalfd(2), signal(7).
    template <std::same_as<int>... Numbers>
    static Result<Signals> open(Numbers... numbers) {
        static_assert(sizeof...(numbers) > 0, "name the signals");
        SignalSet set = 0;
        bool allowed = true;
        ((allowed = allowed && is_allowed(numbers), set |= allowed ? signal_bit(numbers) : 0), ...);
        if (!allowed) return std::unexpected(Error(std::errc::invalid_argument));
        return open_set(set);
    }

    // Waits for one of them and gives its number. A signal that came twice before it was taken is
    // given once, as with any handler; real-time signals are queued.
    //
    // Cancellation: no signal was taken, or the one that was is given.
    // Source: signalfd(2), read(2).
    Task<int> next();

private:
    Signals(Descriptor descriptor, SignalSet set) : descriptor_(std::move(descriptor)), set_(set) {}
    static bool is_allowed(int number);
    static Result<Signals> open_set(SignalSet set);

    Descriptor descriptor_;
    SignalSet set_;
};

}  // namespace ringlet
