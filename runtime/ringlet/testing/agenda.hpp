// Agenda: what a test wants done when virtual time comes to a point, in order of time.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/panic.hpp>

#include <array>

namespace ringlet::testing {

using Callback = void (*)(void* context);

class Agenda {
public:
    void add(Instant when, Callback callback, void* context) {
        RINGLET_ASSERT(count_ <
                       entries_.size());  // more plans at once than the agenda has room for
        unsigned place = count_++;
        for (; place > 0 && entries_[place - 1].when > when; --place) {
            entries_[place] = entries_[place - 1];
        }
        entries_[place] = {when, callback, context};
    }

    // `never` if nothing is planned.
    Instant next() const { return count_ == 0 ? never : entries_[0].when; }

    // Takes the first out, then does it, so that it may plan anew.
    void run_next() {
        RINGLET_ASSERT(count_ > 0);
        const Entry first = entries_[0];
        --count_;
        for (unsigned i = 0; i < count_; ++i)
            entries_[i] = entries_[i + 1];
        first.callback(first.context);
    }

    // Whoever is called back with that context is no more.
    void forget(const void* context) {
        unsigned kept = 0;
        for (unsigned i = 0; i < count_; ++i) {
            if (entries_[i].context != context) entries_[kept++] = entries_[i];
        }
        count_ = kept;
    }

private:
    struct Entry {
        Instant when;
        Callback callback;
        void* context;
    };
    std::array<Entry, 128> entries_{};
    unsigned count_ = 0;
};

}  // namespace ringlet::testing
