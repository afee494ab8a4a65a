// Lookups: from the name to the servers, and the files that say which.
#include <ringlet/dns/resolver.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/io/line_reader.hpp>
#include <ringlet/io/stream.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>

namespace ringlet::dns {
namespace {

// Of several errors of one lookup, the one with the highest weight is told.
enum class Weight : std::uint8_t {
    nothing,
    no_name,     // this and the next: the servers' last word
    no_address,
    silence,
    network,
    server,      // it answered, and did not help
    ourselves,   // our own bounds: to go on is no use
};

Weight weight_of(Error error) {
    if (error == Error()) return Weight::nothing;
    if (error.domain() == Domain::runtime) return Weight::ourselves;
    if (error.domain() != domain) return Weight::network;
    switch (detail_of(error)) {
        case Detail::not_found: return Weight::no_name;
        case Detail::no_address: return Weight::no_address;
        case Detail::no_answer: return Weight::silence;
        case Detail::unreachable: return Weight::network;
        case Detail::no_servers:
        case Detail::name_shape: return Weight::ourselves;
        default: return Weight::server;
    }
}

void keep_weightier(Error& kept, Error other) {
    if (weight_of(other) > weight_of(kept)) kept = other;
}

// No other server needs to be asked.
bool is_last_word(Error error) {
    const Weight weight = weight_of(error);
    return weight == Weight::no_name || weight == Weight::no_address ||
           weight == Weight::ourselves;
}

// No other candidate needs to be looked for: the servers do not even answer.
bool ends_search(Error error) {
    const Weight weight = weight_of(error);
    return weight == Weight::silence || weight == Weight::network || weight == Weight::ourselves;
}

// What was said of one exchange: timeout()'s own error, a connection that ended early, and what the
// network said of the server.
Error in_our_words(Error error) {
    if (error == Error(std::errc::timed_out, RuntimeDetail::none)) {
        return error_of(Detail::no_answer);
    }
    if (error == unexpected_end) return error_of(Detail::malformed);
    const bool is_networks = error.domain() == Domain::kernel && !is_our_own(error);
    return is_networks ? unreachable_error(error.code()) : error;
}

// How long it is remembered that a name has no address of a kind. A server may say (RFC 2308), but
// such answers often do not.
constexpr auto no_address_time = std::chrono::seconds(30);

// None if it is not there.
Task<std::optional<File>> open_file(const char* path) {
    auto opened = co_await attempt(File::open(path));
    if (opened) co_return std::move(*opened);
    if (opened.error() != std::errc::no_such_file_or_directory) co_await fail(opened.error());
    co_return std::nullopt;
}

// Calls `use(line)` for each line of a file, and closes it. One that is not there has none.
template <class Use>
Task<void> for_each_line(const char* path, std::optional<File>& file, Use& use) {
    if (!file) co_return;
    std::array<char, line_bytes_max + 2> storage;
    LineReader lines(*file, storage);
    for (;;) {
        const auto line = co_await attempt(lines.next());
        if (line && !*line) break;
        if (line) {
            use(**line);
            continue;
        }
        if (line.error() != line_too_long) co_await fail(line.error());
        log::warning("%s: line %llu is too long and left out", path,
                     static_cast<unsigned long long>(lines.line_number()));
    }
    co_await file->close();
}

}  // namespace

void Found::add(const Addresses& addresses) {
    for (const IpAddress& each : addresses) add(each, Family::any);
}

void Found::add(const IpAddress& address, Family wanted) {
    if (wanted != Family::any && wanted != address.family()) return;
    (address.family() == Family::v6 ? v6 : v4).add(address);
    news.set();
}

// A free slot, as long as this lives. The caller has a permit for it.
class Resolver::Slot {
public:
    explicit Slot(Resolver& resolver) : resolver_(resolver), slot_(*resolver.free_slots_) {
        resolver_.free_slots_ = slot_.next_free;
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { slot_.next_free = std::exchange(resolver_.free_slots_, &slot_); }

    QuerySlot& operator*() { return slot_; }

private:
    Resolver& resolver_;
    QuerySlot& slot_;
};

// ---- configuration ----

Resolver::Resolver(StorageParts parts, const Options& options)
    : options_(options),
      hosts_(parts.hosts, parts.hosts_text),
      cache_(parts.cache),
      turns_(parts.slots.size()),
      lent_(parts.lent) {
    RINGLET_ASSERT(!lent_);  // a storage serves one resolver at a time
    lent_ = true;
    const std::size_t message_bytes = parts.messages.size() / parts.slots.size();
    for (QuerySlot& each : parts.slots) {
        each.received = parts.messages.first(message_bytes);
        parts.messages = parts.messages.subspan(message_bytes);
        each.next_free = std::exchange(free_slots_, &each);
    }
    for (const SocketAddress& each : options.servers) RINGLET_ASSERT(given_.add_server(each));
    for (const std::string_view each : options.search) RINGLET_ASSERT(given_.search.add(each));
    options_.servers = {};  // they were copied
    options_.search = {};
    RINGLET_ASSERT(options.attempts.value_or(1) > 0);
    cache_.clear();
    apply_options(config_);
    hosts_are_read_.set();
}

Resolver::~Resolver() {
    lent_ = false;
}

void Resolver::apply_options(Config& config) const {
    if (given_.servers() > 0) config.use_servers_of(given_);
    if (given_.search.size() > 0) config.search = given_.search;
    config.ndots = options_.ndots.value_or(config.ndots);
    config.attempts = options_.attempts.value_or(config.attempts);
    config.timeout = options_.timeout.value_or(config.timeout);
    config.rotate = options_.rotate.value_or(config.rotate);
}

Task<void> Resolver::load() {
    const auto guard = co_await loading_.lock();
    co_await load_config();
    co_await load_hosts();
}

Task<void> Resolver::load_config() {
    if (options_.resolv_conf == nullptr) co_return;
    Config fresh;
    auto read = [&](std::string_view line) {
        if (fresh.read_line(line)) return;
        log::warning("%s: not understood, or too much: %.*s", options_.resolv_conf,
                     static_cast<int>(std::min(line.size(), std::size_t{80})), line.data());
    };
    auto file = co_await open_file(options_.resolv_conf);
    co_await for_each_line(options_.resolv_conf, file, read);
    if (fresh.servers() == 0) fresh.add_server(loopback_address(dns_port));
    apply_options(fresh);
    config_ = fresh;
    clear_cache();  // the answers of other servers
}

Task<void> Resolver::load_hosts() {
    struct Reading {
        explicit Reading(Event& event) : ended(event) { ended.clear(); }
        ~Reading() { ended.set(); }
        Event& ended;
    };
    if (options_.hosts == nullptr) co_return;
    const Reading reading(hosts_are_read_);
    auto file = co_await open_file(options_.hosts);
    hosts_.clear();  // not before: of a file that cannot be opened the old names are better
    auto read = [&](std::string_view line) { hosts_.read_line(line); };
    co_await for_each_line(options_.hosts, file, read);
    if (hosts_.left_out() == 0) co_return;
    log::warning("%s: %llu names are left out (dns::Limits::hosts, hosts_bytes)", options_.hosts,
                 static_cast<unsigned long long>(hosts_.left_out()));
}

// ---- lookups ----

Task<Addresses> Resolver::resolve(std::string_view name, Family family) {
    Found found;
    co_await look_up(name, family, found);
    co_return interleaved(found.v6, found.v4);
}

Task<void> Resolver::look_up(std::string_view name, Family family, Found& found) {
    while (!hosts_are_read_.is_set()) co_await hosts_are_read_.wait();
    const bool known = co_await find_here(name, family, found);
    if (known) co_return;
    const unsigned first_server = config_.rotate ? rotation_++ : 0;
    Candidates candidates(name, config_.search, config_.ndots);
    Error error;
    for (;;) {
        const auto candidate = candidates.next();
        if (!candidate) break;
        const Error failure = co_await ask_both(*candidate, family, first_server, found);
        if (!found.empty()) co_return;
        keep_weightier(error, failure);
        if (ends_search(failure)) break;
    }
    co_await fail(error);
}

// What needs no server. False if it is not known here.
Result<bool> Resolver::find_here(std::string_view name, Family family, Found& found) const {
    const auto literal = parse_address(name, 0);
    if (literal && !is_localhost(name)) {
        found.add(IpAddress(*literal), family);
        if (found.empty()) return std::unexpected(error_of(Detail::no_address));
        return true;
    }
    const auto checked = check_name(name);
    if (!checked) return std::unexpected(checked.error());
    if (is_localhost(*checked)) {
        found.add(IpAddress(loopback_address_v6(0)), family);
        found.add(IpAddress(loopback_address(0)), family);
        return true;
    }
    Addresses v6;
    Addresses v4;
    hosts_.find(*checked, v6, v4);
    if (family != Family::v4) found.add(v6);
    if (family != Family::v6) found.add(v4);
    return !found.empty();
}

// Gives the error to tell if neither has found anything.
Task<Error> Resolver::ask_both(std::string_view name, Family family, unsigned first_server,
                               Found& found) {
    if (family != Family::any) {
        const Question question{name, family, first_server, clearings_, found};
        const auto asked = co_await attempt(ask(question));
        co_return asked ? Error() : asked.error();
    }
    const Question v6{name, Family::v6, first_server, clearings_, found};
    const Question v4{name, Family::v4, first_server, clearings_, found};
    const auto asked = co_await gather_results(ask(v6), ask(v4));
    Error error;
    if (!std::get<0>(asked)) keep_weightier(error, std::get<0>(asked).error());
    if (!std::get<1>(asked)) keep_weightier(error, std::get<1>(asked).error());
    co_return error;
}

// False if nothing is known. An empty answer is one, too.
Result<bool> Resolver::find_cached(const Question& question) const {
    const Instant now = scheduler().now(Clock::boottime);
    const Addresses* const known = cache_.find(question.name, question.family, now);
    if (known == nullptr) return false;
    if (known->empty()) return std::unexpected(error_of(Detail::no_address));
    question.found.add(*known);
    return true;
}

void Resolver::remember(const Question& question, const Addresses& addresses,
                        std::chrono::seconds span) {
    if (question.clearing != clearings_) return;  // an answer of what has been forgotten since
    span = std::min(span, options_.cache_time_max);
    if (span <= std::chrono::seconds::zero()) return;
    const Instant now = scheduler().now(Clock::boottime);
    cache_.store(question.name, question.family, addresses, later(now, span));
}

Result<void> Resolver::write_question(QuerySlot& slot, const Question& question) {
    const auto room = std::span(slot.sent).subspan<QuerySlot::prefix_bytes, question_bytes_max>();
    const auto written = dns::write_question(room, question.name, question.family);
    if (!written) return std::unexpected(written.error());
    slot.question_bytes = written->size();
    return {};
}

Task<void> Resolver::ask(Question question) {
    const bool is_known = co_await find_cached(question);
    if (is_known) co_return;
    const Permit permit = co_await turns_.acquire();
    Slot slot(*this);
    co_await write_question(*slot, question);
    Error error = error_of(Detail::no_answer);
    for (unsigned tries = 0; tries < config_.attempts; ++tries) {
        for (unsigned i = 0; i < config_.servers(); ++i) {  // a load() may change their number
            const unsigned index = (question.first_server + i) % config_.servers();
            const SocketAddress server = config_.server(index);
            const auto asked = co_await attempt(ask_server(server, *slot, question));
            if (asked) co_return;
            const Error failure = in_our_words(asked.error());
            if (is_last_word(failure)) co_await fail(failure);
            keep_weightier(error, failure);
        }
    }
    if (config_.servers() == 0) co_await fail(error_of(Detail::no_servers));
    co_await fail(error);
}

Task<void> Resolver::ask_server(const SocketAddress& server, QuerySlot& slot,
                                const Question& question) {
    std::array<std::byte, 2> random;
    scheduler().system().random(random);
    set_id(slot.question(), static_cast<std::uint16_t>(std::to_integer<unsigned>(random[0]) << 8 |
                                                       std::to_integer<unsigned>(random[1])));
    ++questions_;
    const auto answer = co_await timeout(config_.timeout, exchange(server, slot));
    Addresses addresses;
    const auto good_s = read_answer(answer, question.family, addresses);
    if (!good_s) {
        if (good_s.error() == Detail::no_address) remember(question, Addresses(), no_address_time);
        co_await fail(good_s.error());
    }
    remember(question, addresses, std::chrono::seconds(*good_s));
    question.found.add(addresses);
}

}  // namespace ringlet::dns
