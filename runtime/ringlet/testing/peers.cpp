// Running peers: as tasks of a group, which ends them together.
#include <ringlet/testing/peers.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/task/attempt.hpp>

namespace ringlet::testing {
namespace {

// What fails because the peers are being cancelled is nobody's failure.
Task<void> run_peer(Peer& peer) {
    const auto outcome = co_await attempt(peer.start());
    if (outcome || scheduler().running().cancelled) co_return;
    log::error("the peer '%s' failed: %s", peer.name(), text(outcome.error()));
    co_await fail(outcome.error());
}

}  // namespace

Task<void> Peers::run() {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (Peer& each : peers_) {
            auto task = group.try_spawn(run_peer, std::ref(each));
            if (!task) {
                log::error("there is no room for the peer '%s' in the run's Limits", each.name());
                co_await fail(task.error());
            }
            task->named(each.name());
        }
    });
}

void Peers::expect_room() const {
    if (current_world != nullptr) {
        panic("a peer is added before run(), not during it", __FILE__, __LINE__);
    }
    if (peers_.size() == limit_) {
        panic("there are more peers than SimulationOptions::peers", __FILE__, __LINE__);
    }
}

}  // namespace ringlet::testing
