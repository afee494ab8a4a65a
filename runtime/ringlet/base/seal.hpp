// The seal: told when a thread may allocate no more. Tests set a trap here.
#pragma once

namespace ringlet {

// Called on the thread that it is about: with true when its first step is about to run (a job, on a
// worker's thread), and with false after the last; between the two it allocates nothing. May be
// null; set before run().
using SealHandler = void (*)(bool sealed);
inline constinit SealHandler seal_handler = nullptr;

}  // namespace ringlet
