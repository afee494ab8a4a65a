// Turns: at most so many attempts at once to each host and port, first come first served.
//
// The client's pool would do, but who waits there has the attempt's time run away: here the time
// begins with the turn. And the pool's bound is fixed when the program is built.
#pragma once

#include <settings.hpp>

#include <ringlet/http/url.hpp>
#include <ringlet/sync/semaphore.hpp>
#include <ringlet/task/task.hpp>

#include <array>
#include <optional>
#include <utility>

namespace fetch {

// One of those who share a host: those who wait, too.
struct SharedHost {
    std::array<char, ringlet::http::host_bytes_max> name;
    std::size_t name_bytes = 0;
    std::uint16_t port = 0;
    std::uint32_t users = 0;  // 0: it is nobody's
    std::optional<ringlet::Semaphore> permits;

    ringlet::http::HostKey key() const { return {{name.data(), name_bytes}, port}; }
};

class HostUse {
public:
    explicit HostUse(SharedHost& host) : host_(&host) { ++host_->users; }
    HostUse(HostUse&& other) noexcept : host_(std::exchange(other.host_, nullptr)) {}
    HostUse& operator=(HostUse&&) = delete;
    ~HostUse() {
        if (host_ != nullptr) --host_->users;
    }

    ringlet::Semaphore& permits() const { return *host_->permits; }

private:
    SharedHost* host_;
};

// The right to talk to a host, until it is destroyed.
class [[nodiscard]] Turn {
public:
    Turn(HostUse use, ringlet::Permit permit) : use_(std::move(use)), permit_(std::move(permit)) {}

private:
    HostUse use_;
    ringlet::Permit permit_;
};

class Turns {
public:
    // `per_host`: at most per_host_max.
    explicit Turns(std::uint32_t per_host) : per_host_(per_host) {}

    // Waits for a turn. At most concurrency_max have one or wait.
    //
    // Cancellation: leaves the line.
    ringlet::Task<Turn> take(ringlet::http::HostKey key);

private:
    SharedHost& find(const ringlet::http::HostKey& key);

    std::uint32_t per_host_;
    std::array<SharedHost, concurrency_max> hosts_;
};

}  // namespace fetch
