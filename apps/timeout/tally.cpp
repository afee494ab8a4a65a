// Counting.
#include <tally.hpp>

namespace timeout_app {

void Tally::add(const Probe& probe) {
    ++probes;
    if (probe.ok) {
        ++ok;
        latency.record(probe.took);
        return;
    }
    ++failed[static_cast<std::size_t>(probe.step)];
    // What the breaker says is no news of the endpoint.
    if (probe.step != Step::breaker) last_error = probe.error;
}

}  // namespace timeout_app
