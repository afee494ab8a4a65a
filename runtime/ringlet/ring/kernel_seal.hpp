// The seal's trap: it stands in front of malloc and its like, of mmap and sbrk. A call of a thread
// whose seal is closed is a breach.
//
// In a build with the Meson option seal=trap or seal=report it is part of the library, and of each
// program with it. Not under AddressSanitizer and ThreadSanitizer, which have allocators of their
// own. In other builds these functions do not exist.
#pragma once

#include <ringlet/base/seal.hpp>

namespace ringlet {

enum class SealReaction {
    trap,    // names the caller on standard error, and aborts
    report,  // names it and goes on
    count,   // only counts
};

// What a breach does from now on, in all threads. At first what the Meson option says.
void set_seal_reaction(SealReaction reaction);

// How many breaches there were since the last call.
unsigned seal_breaches();

}  // namespace ringlet
