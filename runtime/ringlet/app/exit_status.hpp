// What a program's exit status says, the same for every program on Ringlet.
#pragma once

namespace ringlet::exit_status {

inline constexpr int ok = 0;
inline constexpr int some_failed = 1;   // it ran to its end, but not all of the work succeeded
inline constexpr int usage = 2;         // the command line or the configuration is wrong
inline constexpr int unavailable = 69;  // EX_UNAVAILABLE: the system lacks what the program needs

// Ended by a signal, as shells report it.
constexpr int by_signal(int number) {
    return 128 + number;
}
inline constexpr int interrupted = by_signal(2);  // SIGINT
inline constexpr int terminated = by_signal(15);  // SIGTERM

}  // namespace ringlet::exit_status
