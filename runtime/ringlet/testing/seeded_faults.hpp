// SeededFaults: draws which of its possible faults an operation meets, and counts the operations
// that can meet any, so that a test can order a fault for the n-th of them.
#pragma once

#include <ringlet/base/static_vector.hpp>
#include <ringlet/testing/fault_rates.hpp>
#include <ringlet/testing/random.hpp>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

namespace ringlet::testing {

enum class FaultKind : std::uint8_t {
    none,
    error,  // it ends with the errno `number`, not executed
    reset,  // its connection breaks, then it is executed
    cut,    // its connection becomes half-open, then it is executed
};

struct PossibleFault {
    FaultKind kind = FaultKind::none;
    int number = 0;
    unsigned per_mille = 0;
    bool is_variant = false;  // of the one before it: a draw that hits takes one of them
};

class PossibleFaults : public StaticVector<PossibleFault, 24> {
public:
    void add(int number, unsigned per_mille) {
        push_back(PossibleFault{FaultKind::error, number, per_mille});
    }
    void add_one_of(std::initializer_list<int> numbers, unsigned per_mille) {
        for (const int number : numbers) {
            const bool is_variant = number != *numbers.begin();
            push_back(PossibleFault{FaultKind::error, number, per_mille, is_variant});
        }
    }
    void add(FaultKind kind, unsigned per_mille) { push_back(PossibleFault{kind, 0, per_mille}); }
};

class SeededFaults {
public:
    SeededFaults(Random& random, std::uint64_t seed) : random_(random), seed_(seed) {}

    // The n-th of all operations from the beginning that a fault can hit, the first being 1, meets
    // one. Orders are for different operations; `nth` must still be to come.
    void fail_operation(std::uint64_t nth) {
        RINGLET_ASSERT(nth > count_);
        ordered_.push_back(nth);
    }
    std::uint64_t count() const { return count_; }
    // Told of each fault that an SQE meets, by the SQE's user_data.
    using Listener = void (*)(const PossibleFault& fault, std::uint64_t user_data, void* context);
    void on_fault(Listener listener, void* context) {
        listener_ = listener;
        listener_context_ = context;
    }
    void tell(const PossibleFault& fault, std::uint64_t user_data) const {
        if (listener_ != nullptr) listener_(fault, user_data, listener_context_);
    }
    // Faults that were met so far, events among them.
    std::uint64_t met() const { return met_; }

    // Once for each operation. A rate of 0 draws nothing, so that worlds without faults are the
    // same as ever.
    PossibleFault choose(const PossibleFaults& possible) {
        if (possible.empty()) return {};
        ++count_;
        for (const std::uint64_t nth : ordered_) {
            if (nth == count_) return note(pick(possible));
        }
        for (const PossibleFault* each = possible.begin(); each != possible.end(); ++each) {
            if (!each->is_variant && happens(each->per_mille)) return pick_variant(each, possible);
        }
        return {};
    }

    bool happens(unsigned per_mille) {
        const bool hit = per_mille != 0 && random_.between(1, 1000) <= per_mille;
        met_ += hit ? 1 : 0;
        return hit;
    }

private:
    PossibleFault pick_variant(const PossibleFault* first, const PossibleFaults& possible) {
        const PossibleFault* end = first + 1;
        while (end != possible.end() && end->is_variant)
            ++end;
        const auto count = static_cast<std::uint64_t>(end - first);
        return count == 1 ? *first : first[random_.between(0, count - 1)];
    }
    PossibleFault note(const PossibleFault& fault) {
        ++met_;
        return fault;
    }

    // One that the program can see: the runtime itself goes on after EINTR. Nothing is drawn, so
    // that what comes before the fault is the same with and without the order.
    PossibleFault pick(const PossibleFaults& possible) const {
        PossibleFaults seen;
        for (const PossibleFault& each : possible) {
            const bool is_error = each.kind == FaultKind::error && each.number != EINTR;
            if (is_error || each.kind == FaultKind::reset) seen.push_back(each);
        }
        const PossibleFaults& from = seen.empty() ? possible : seen;
        return *(from.begin() + (count_ + seed_) % from.size());
    }

    Random& random_;
    std::uint64_t seed_;
    std::uint64_t count_ = 0;
    std::uint64_t met_ = 0;
    Listener listener_ = nullptr;
    void* listener_context_ = nullptr;
    StaticVector<std::uint64_t, 32> ordered_;
};

}  // namespace ringlet::testing
