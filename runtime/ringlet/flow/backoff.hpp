// Backoff: how long to leave alone what has failed: longer each time, and not all at once.
#pragma once

#include <ringlet/base/clock.hpp>

#include <cstdint>

namespace ringlet {

// `first` doubled so many times, and never more than `most`. Spans are not negative.
Nanoseconds doubled(Nanoseconds first, unsigned times, Nanoseconds most);

// A span drawn evenly from zero to `most`, both included, by the running loop's System::random:
// in a simulation, by the seed.
Nanoseconds drawn_up_to(Nanoseconds most);

}  // namespace ringlet
