// SimulatedSystem: System on a simulated World.
#pragma once

#include <ringlet/ring/system.hpp>
#include <ringlet/testing/simulated_workers.hpp>
#include <ringlet/testing/world.hpp>

namespace ringlet::testing {

class SimulatedSystem final : public System {
public:
    explicit SimulatedSystem(World& world);

    Instant now(Clock clock) override { return world_.now(clock); }
    Result<int> socket(int family, int type, int protocol) override;
    Result<void> bind(int descriptor, const SocketAddress& address) override;
    Result<void> listen(int descriptor, int backlog) override;
    Result<void> set_option(int descriptor, int level, int name, int value) override;
    Result<void> set_option_bytes(int descriptor, int level, int name,
                                  std::span<const std::byte> value) override;
    Result<int> get_option(int descriptor, int level, int name) override;
    Result<SocketAddress> local_address(int descriptor) override;
    Result<SocketAddress> peer_address(int descriptor) override;
    Result<std::size_t> receive_now(int descriptor, msghdr& header) override;
    // The program talks to itself: process 1, user 0, group 0.
    Result<PeerCredentials> peer_credentials(int descriptor) override;
    Result<std::array<int, 2>> pipe() override;
    Result<int> open_signals(SignalSet signals) override;
    void discard_signals(SignalSet) override {}  // unblocked, a simulated signal does nothing
    void unblock_signals(SignalSet signals) override { world_.unblock_signals(signals); }
    Result<int> open_waker() override;
    void wake(int waker) override;
    Workers& workers() override { return workers_; }
    void close(int descriptor) override { world_.descriptors().close(descriptor); }
    Result<void> set_permissions(int descriptor, unsigned permissions) override;
    bool is_terminal(int descriptor) override;
    Result<void> make_raw(int descriptor) override;
    int terminal_columns(int descriptor) override;
    Result<int> control(int descriptor, unsigned long request, std::uintptr_t argument) override;
    // From the world's seed, so that it repeats.
    void random(std::span<std::byte> out) override;
    Result<void> lock_memory() override { return {}; }
    // Joins what the world captured of standard error, even if descriptor 2 is closed.
    void write_error(std::string_view words) override;
    // Ends the real process, after what was captured of standard error is shown: for death tests.
    [[noreturn]] void exit_now(int status) override;

private:
    Result<Socket*> socket_at(int descriptor);

    World& world_;
    SimulatedWorkers workers_;
    Random random_;  // its own, so that what a program draws does not shift the order of events
};

}  // namespace ringlet::testing
