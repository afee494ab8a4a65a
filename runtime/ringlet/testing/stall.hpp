// Who waits for the world to stall: until nothing in it can go on without time passing.
//
// A ring that is about to let time pass wakes the first in line instead, and goes on only when that
// has led to nothing more. So each is woken in a world that is quiet, one after the other.
#pragma once

#include <ringlet/base/intrusive_list.hpp>

namespace ringlet::testing {

struct StallWaiter : ListLink<> {
    // Called inside Ring::enter(): may wake a block, and no more.
    using Stalled = void (*)(StallWaiter&);
    explicit StallWaiter(Stalled hook) : stalled(hook) {}

    Stalled stalled;
};

class StallWaiters {
public:
    void add(StallWaiter& waiter) { line_.push_back(waiter); }

    // False if nobody waits.
    bool wake_first() {
        StallWaiter* const first = line_.pop_front();
        if (first == nullptr) return false;
        first->stalled(*first);
        return true;
    }

private:
    IntrusiveList<StallWaiter> line_;
};

}  // namespace ringlet::testing
