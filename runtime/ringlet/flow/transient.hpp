// is_transient: which errors may be gone if the same thing is tried again a little later.
//
// The default of retry and CircuitBreaker. Whoever knows the other side better gives a predicate of
// their own, which may ask this one first.
#pragma once

#include <ringlet/base/error.hpp>

namespace ringlet {

// True for a peer that is not there, broke off or is too busy; for a network that is down; for a
// time limit; and for a resource that is in use now. Whatever the domain, it is the code that
// counts, but for the runtime's own: a bound that was reached, a closed queue or an open circuit is
// not for trying again, only its time limits are, and streams that ended too early, as a driver's.
//
// False for everything else: wrong arguments, missing permission, what does not exist, a peer that
// speaks another protocol, a full medium. And for a full frame pool: trying again would hide that
// Limits::frames is too small, and take the frames from others.
bool is_transient(Error error);

}  // namespace ringlet
