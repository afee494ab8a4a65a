// KernelSystem: System on the running kernel.
#pragma once

#include <ringlet/ring/kernel_workers.hpp>
#include <ringlet/ring/system.hpp>

namespace ringlet {

class KernelSystem final : public System {
public:
    // To be called before anything is opened. SIGPIPE is ignored from now on, so that writing to a
    // pipe without a reader is only EPIPE. A standard stream that was closed is occupied, by what
    // fails as it did: else the next file would get its number, and messages would end in it.
    void prepare_process();

    Instant now(Clock clock) override;
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
    Result<PeerCredentials> peer_credentials(int descriptor) override;
    Result<std::array<int, 2>> pipe() override;
    Result<int> open_signals(SignalSet signals) override;
    void discard_signals(SignalSet signals) override;
    void unblock_signals(SignalSet signals) override;
    Result<int> open_waker() override;
    void wake(int waker) override;
    Workers& workers() override { return workers_; }
    void close(int descriptor) override;
    Result<void> set_permissions(int descriptor, unsigned permissions) override;
    bool is_terminal(int descriptor) override;
    Result<void> make_raw(int descriptor) override;
    int terminal_columns(int descriptor) override;
    Result<int> control(int descriptor, unsigned long request, std::uintptr_t argument) override;
    void random(std::span<std::byte> out) override;
    Result<void> lock_memory() override;
    void write_error(std::string_view words) override;
    [[noreturn]] void exit_now(int status) override;

    // Adds to a regular file's end, which it makes if there is none. May block; for before or after
    // a run.
    Result<void> append_to_file(const char* path, std::string_view text);

private:
    KernelWorkers workers_;
    SignalSet blocked_ = 0;  // what open_signals() blocked and unblock_signals() may undo
};

}  // namespace ringlet
