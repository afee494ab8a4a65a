// Which faults an operation can meet: only what a kernel may give it.
#pragma once

#include <ringlet/testing/operations.hpp>
#include <ringlet/testing/seeded_faults.hpp>

namespace ringlet::testing {

// Of an operation that was admitted. None for what is spared (see FaultRates).
void find_faults(const Request& request, World& world, PossibleFaults& out);

// Whether an object's operations are spared: signals, wakers, standard error.
bool is_spared(const Object* object, World& world);

}  // namespace ringlet::testing
