// The transitions.
#include <ringlet/flow/circuit_breaker.hpp>

#include <algorithm>

namespace ringlet {

CircuitBreaker::CircuitBreaker(const CircuitOptions& options) : options_(options) {
    RINGLET_ASSERT(options.failures > 0 && options.probes > 0 && options.successes > 0);
    RINGLET_ASSERT(options.open_for.count() >= 0 && options.counts != nullptr);
}

CircuitState CircuitBreaker::state() const {
    const bool is_over = state_ == CircuitState::open && scheduler().now() >= open_until_;
    return is_over ? CircuitState::half_open : state_;
}

Nanoseconds CircuitBreaker::until_probe() const {
    if (state() != CircuitState::open) return {};
    return Nanoseconds(open_until_ - scheduler().now());
}

bool CircuitBreaker::admit() {
    const CircuitState now = state();
    if (now != state_) enter(now);  // 2
    const bool full = now == CircuitState::half_open && probing_ == options_.probes;
    if (now != CircuitState::open && !full) return true;
    ++counts_.refused;
    return false;
}

void CircuitBreaker::enter(CircuitState state) {
    state_ = state;
    in_a_row_ = 0;
    probing_ = 0;
    ++transitions_;
}

void CircuitBreaker::open(Nanoseconds span) {
    enter(CircuitState::open);
    open_until_ = later(scheduler().now(), span);
    ++counts_.opened;
}

CircuitBreaker::Passage::Passage(CircuitBreaker& breaker)
    : breaker_(breaker), since_(breaker.transitions_) {
    ++breaker.running_;
    if (breaker.state_ == CircuitState::half_open) ++breaker.probing_;
}

CircuitBreaker::Passage::~Passage() {
    --breaker_.running_;
    if (!ended_) ++breaker_.counts_.cancelled;
    if (tells() && breaker_.state_ == CircuitState::half_open) --breaker_.probing_;
}

void CircuitBreaker::Passage::succeeded() {
    ended_ = true;
    ++breaker_.counts_.succeeded;
    if (!tells()) return;
    if (breaker_.state_ == CircuitState::closed) {
        breaker_.in_a_row_ = 0;
    } else if (++breaker_.in_a_row_ == breaker_.options_.successes) {
        breaker_.reopened_ = 0;
        breaker_.enter(CircuitState::closed);  // 4
    }
}

void CircuitBreaker::Passage::failed(Error error) {
    ended_ = true;
    const CircuitOptions& options = breaker_.options_;
    if (!options.counts(error)) {
        ++breaker_.counts_.ignored;
        return;
    }
    ++breaker_.counts_.failed;
    if (!tells()) return;
    if (breaker_.state_ == CircuitState::half_open) {
        ++breaker_.reopened_;
        const Nanoseconds most = std::max(options.open_for, options.open_max);
        breaker_.open(doubled(options.open_for, breaker_.reopened_, most));  // 3
    } else if (++breaker_.in_a_row_ == options.failures) {
        breaker_.open(options.open_for);  // 1
    }
}

}  // namespace ringlet
