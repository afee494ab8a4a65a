// Forwarder: posts the batches in the store, the oldest first; while the server is away, again and
// again, after longer and longer pauses.
#pragma once

#include <condition.hpp>
#include <settings.hpp>
#include <store.hpp>

#include <ringlet/dns/resolver.hpp>
#include <ringlet/flow/retry.hpp>
#include <ringlet/health/supervisor.hpp>
#include <ringlet/http/client.hpp>

namespace station {

class Forwarder {
public:
    // All outlive it. One at a time: its connection has static memory.
    Forwarder(const Settings& settings, Store& store, Condition& condition, Losses& losses);

    // Ends by cancellation only, and votes. A batch that was under way is sent again later.
    ringlet::Task<void> run(ringlet::health::Supervisor& supervisor);

    // There is a new batch in the store.
    void wake() { news_.set(); }

    std::uint64_t sent() const { return sent_; }

private:
    using Supervisor = ringlet::health::Supervisor;

    ringlet::Task<void> forward(Supervisor& supervisor, std::uint64_t sequence);
    void give_up(std::uint64_t sequence, ringlet::Error why);
    ringlet::Task<void> post(Supervisor& supervisor, std::string_view batch,
                             ringlet::RetryProgress& progress);
    ringlet::Task<void> ask(std::string_view batch, ringlet::RetryProgress& progress);

    const Settings& settings_;
    Store& store_;
    Condition& condition_;
    Losses& losses_;
    ringlet::dns::Resolver resolver_;
    ringlet::http::Client client_;
    ringlet::Event news_;
    bool names_are_loaded_ = false;
    unsigned failed_reads_ = 0;  // of the oldest, one after the other
    std::uint64_t sent_ = 0;
    std::array<std::byte, Store::slot_bytes> slot_;
    std::array<std::byte, 1_KiB> answer_;
};

}  // namespace station
