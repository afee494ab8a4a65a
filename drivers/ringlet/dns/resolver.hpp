// Resolver: the addresses of a host name.
//
//   static dns::Storage<dns::Limits{}> storage;
//   dns::Resolver resolver(storage);
//   co_await resolver.load();                                  // resolv.conf and hosts
//   const auto addresses = co_await resolver.resolve("device.example");
//
// To connect to a name, use dns::connect(): it tries the addresses as it should be done.
//
// A lookup goes through these, and ends where it finds something:
//
//   literal -> localhost -> hosts file -> each candidate of the search list, A and AAAA at once:
//                                           cache -> each server in turn, `attempts` times
//
// NXDOMAIN and "no such record" are a server's last word; after any other failure the next server
// is asked. The whole takes attempts x servers x timeout at most for each candidate, and what
// questions wait in line for others (Limits::queries); put timeout() around it for less.
// Any number of tasks may use a resolver at once. All sockets are on the ring; no thread is needed.
#pragma once

#include <ringlet/dns/cache.hpp>
#include <ringlet/dns/config.hpp>
#include <ringlet/dns/exchange.hpp>
#include <ringlet/dns/hosts.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/sync/semaphore.hpp>

#include <chrono>
#include <optional>

namespace ringlet::dns {

struct Options {
    // Paths for load(); the text outlives the resolver. Null: there is no such file.
    const char* resolv_conf = "/etc/resolv.conf";
    const char* hosts = "/etc/hosts";

    // What is given here counts, whatever the file says. At most servers_max servers.
    std::span<const SocketAddress> servers = {};
    std::span<const std::string_view> search = {};
    std::optional<unsigned> ndots = {};
    std::optional<unsigned> attempts = {};    // at least 1
    std::optional<Nanoseconds> timeout = {};  // of one server in one attempt
    std::optional<bool> rotate = {};

    // An answer is remembered for as long as its server allows, that there is no address of a kind
    // for half a minute, but no longer than this.
    std::chrono::seconds cache_time_max = std::chrono::hours(24);
};

// What a Storage lends to its resolver.
struct StorageParts {
    std::span<QuerySlot> slots;
    std::span<std::byte> messages;
    std::span<HostEntry> hosts;
    std::span<char> hosts_text;
    std::span<CacheEntry> cache;
    bool& lent;
};

// The memory of one resolver at a time. Make it static, so that its size stands in .bss.
template <Limits limits_>
class Storage {
    static_assert(limits_.are_valid(),
                  "dns::Limits: at least one query, message_bytes from 512 to 65535, hosts_bytes "
                  "up to 65535");

public:
    constexpr Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

private:
    friend class Resolver;
    StorageParts parts() { return {slots_, messages_, hosts_, hosts_text_, cache_, lent_}; }

    std::array<QuerySlot, limits_.queries> slots_{};
    std::array<std::byte, limits_.queries * limits_.message_bytes> messages_{};
    std::array<HostEntry, limits_.hosts> hosts_{};
    std::array<char, limits_.hosts_bytes> hosts_text_{};
    std::array<CacheEntry, limits_.cache> cache_{};
    bool lent_ = false;
};

// What a lookup has found so far. `news` is set whenever something was added.
struct Found {
    Addresses v6;
    Addresses v4;
    Event news;

    bool empty() const { return v6.empty() && v4.empty(); }
    void add(const Addresses& addresses);
    void add(const IpAddress& address, Family wanted);
};

class Resolver {
public:
    // Asserts that the storage is nobody else's, and that the options are within their bounds.
    template <Limits limits>
    explicit Resolver(Storage<limits>& storage, const Options& options = {})
        : Resolver(storage.parts(), options) {}
    // Asserts that no lookup is under way.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // Reads resolv.conf and hosts; call it again when they have changed. A file that is not there
    // says nothing; with no server in either place, 127.0.0.1 is asked (resolv.conf(5)). Lines that
    // are longer than line_bytes_max, and those of resolv.conf that cannot be understood, are left
    // out, with a warning in the log. New lookups wait until the hosts file has been read. With a
    // new resolv.conf, what was remembered is forgotten.
    //
    // Errors: the kernel's, for a file that is there and cannot be read. What one said that cannot
    // be opened stays known.
    // Cancellation: servers stay as they were; of the hosts, those read by then are known.
    // Source: resolv.conf(5), hosts(5).
    Task<void> load();

    // The addresses of a name, which outlives the await: IPv6 and IPv4 in turn, within each the
    // order of the server. Never empty. A literal ("192.0.2.1", "::1") is its own address.
    //
    // Errors: of Domain `dns`, see Detail; not_found and no_address are answers, all others
    // failures; unreachable has the kernel's code. runtime: frames, descriptors. The kernel's:
    // descriptors and memory of the whole machine.
    // Cancellation: unwinds at once; nothing is left behind.
    // Source: RFC 1034, RFC 1035, RFC 3596.
    Task<Addresses> resolve(std::string_view name, Family family = Family::any);

    // The same, but hands out the addresses of each kind as soon as they are known. Ends with an
    // error only if it found nothing. `found` outlives the await.
    //
    // Cancellation: as resolve().
    Task<void> look_up(std::string_view name, Family family, Found& found);

    const Config& config() const { return config_; }
    const Hosts& hosts() const { return hosts_; }
    // Also what is being asked for now will not be remembered.
    void clear_cache() {
        cache_.clear();
        ++clearings_;
    }
    // Questions sent so far, each attempt counted.
    std::uint64_t questions() const { return questions_; }

private:
    class Slot;
    // A question, for those that carry it.
    struct Question {
        std::string_view name;
        Family family;
        unsigned first_server;
        unsigned clearing;  // of the cache: the last one before it was asked
        Found& found;
    };

    Resolver(StorageParts parts, const Options& options);

    void apply_options(Config& config) const;
    Task<void> load_config();
    Task<void> load_hosts();
    Result<bool> find_here(std::string_view name, Family family, Found& found) const;
    Result<bool> find_cached(const Question& question) const;
    void remember(const Question& question, const Addresses& addresses, std::chrono::seconds span);
    static Result<void> write_question(QuerySlot& slot, const Question& question);
    Task<Error> ask_both(std::string_view name, Family family, unsigned first_server,
                         Found& found);
    Task<void> ask(Question question);
    Task<void> ask_server(const SocketAddress& server, QuerySlot& slot, const Question& question);

    Options options_;
    Config given_;   // by the options
    Config config_;  // in use
    Hosts hosts_;
    Cache cache_;
    QuerySlot* free_slots_ = nullptr;
    Semaphore turns_;  // of the slots
    Mutex loading_;
    Event hosts_are_read_;
    unsigned rotation_ = 0;
    unsigned clearings_ = 0;
    std::uint64_t questions_ = 0;
    bool& lent_;
};

}  // namespace ringlet::dns
