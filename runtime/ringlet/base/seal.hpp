// The seal: told when a thread may allocate no more.
#pragma once

namespace ringlet {

// Called on the thread that it is about: with true when its first step is about to run (a job, on a
// worker's thread), and with false after the last; between the two it allocates nothing. Null
// unless the build has the Meson option seal (ring/kernel_seal.hpp); may be set before run().
using SealHandler = void (*)(bool sealed);
extern SealHandler seal_handler;

}  // namespace ringlet
