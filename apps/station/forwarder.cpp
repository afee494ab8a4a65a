#include <forwarder.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

namespace station {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Task;
namespace dns = ringlet::dns;
namespace http = ringlet::http;

namespace {

// After ten minutes a batch that cannot be read holds up the others no longer.
constexpr unsigned failed_reads_max = 600;

constinit dns::Storage<dns::Limits{.queries = 2, .hosts = 64, .hosts_bytes = 4_KiB, .cache = 4}>
    names_storage;
constinit http::Storage<http::Limits{.connections = 1,
                                     .connections_per_host = 1,
                                     .url_bytes = url_bytes_max,
                                     .header_bytes = 4096,
                                     .buffer_bytes = url_bytes_max + 512,
                                     .idle_ms = 1'000}>  // no server closes it so early
    connection_storage;

// The server has understood, and will never take it.
bool is_refusal(ringlet::Error error) {
    const unsigned status = http::status_of(error);
    return status == 400 || status == 413 || status == 422;
}
bool is_worth_another_attempt(ringlet::Error error) {
    return !is_refusal(error);
}

}  // namespace

Forwarder::Forwarder(const Settings& settings, Store& store, Condition& condition, Losses& losses)
    : settings_(settings),
      store_(store),
      condition_(condition),
      losses_(losses),
      resolver_(names_storage),
      client_(connection_storage, {.resolver = &resolver_,
                                   .timeouts = http::Timeouts::in_all(settings.post_timeout),
                                   .user_agent = "ringlet-station"}) {}

Task<void> Forwarder::run(ringlet::health::Supervisor& supervisor) {
    for (;;) {
        news_.clear();
        const auto oldest = store_.oldest();
        if (!oldest) {
            co_await news_.wait();
            continue;
        }
        const auto settled = co_await attempt(forward(supervisor, *oldest));
        if (settled) continue;
        condition_.note_ill(Part::store, settled.error(), Use::reading);
        co_await ringlet::sleep(before_next_try);
    }
}

// Fails if the store cannot be read.
Task<void> Forwarder::forward(ringlet::health::Supervisor& supervisor, std::uint64_t sequence) {
    const auto read = co_await attempt(store_.read(sequence, slot_));
    if (read) condition_.note_well(Part::store, Use::reading);
    if (!read && ++failed_reads_ < failed_reads_max) co_await ringlet::fail(read.error());
    failed_reads_ = 0;
    if (const auto batch = read.value_or(std::nullopt)) {
        const auto try_once = [&](ringlet::RetryProgress& progress) {
            return post(supervisor, *batch, progress);
        };
        const auto posted = co_await attempt(ringlet::retry({.attempts = ringlet::retry_for_ever,
                                                             .first_delay = 1s,
                                                             .delay_max = settings_.retry_max,
                                                             .retries = is_worth_another_attempt},
                                                            try_once));
        if (posted) {
            ++sent_;
        } else if (is_refusal(posted.error())) {
            give_up(sequence, posted.error());
        } else {  // there was no room for an attempt
            condition_.note_ill(Part::server, posted.error());
            co_await ringlet::sleep(before_next_try);
            co_return;
        }
    } else {
        ringlet::log::error("store: batch %llu cannot be read, and is given up",
                            static_cast<unsigned long long>(sequence));
        ++losses_.batches;
    }
    const auto marked = co_await attempt(store_.mark_sent(sequence));
    if (marked) co_return condition_.note_well(Part::store, Use::marking);
    condition_.note_ill(Part::store, marked.error(), Use::marking);
    co_await ringlet::sleep(before_next_try);
}

void Forwarder::give_up(std::uint64_t sequence, ringlet::Error why) {
    ++losses_.refused;
    ringlet::log::error("server: refuses batch %llu, which is given up: %s",
                        static_cast<unsigned long long>(sequence), ringlet::text(why));
}

// One attempt, which must end in time.
Task<void> Forwarder::post(ringlet::health::Supervisor& supervisor, std::string_view batch,
                           ringlet::RetryProgress& progress) {
    const ringlet::health::Voter vote(supervisor, 2 * settings_.post_timeout + 5s, "forwarder");
    const auto answered = co_await attempt(ask(batch, progress));
    if (answered) co_return condition_.note_well(Part::server);
    const ringlet::Error error = answered.error();
    if (is_refusal(error)) condition_.note_well(Part::server);
    else condition_.note_ill(Part::server, error);
    // Where the name servers stand may have changed, and the one that is gone says so in the
    // kernel's words, or not at all.
    if (http::kind_of(error) != http::Kind::status) names_are_loaded_ = false;
    co_await ringlet::fail(error);
}

Task<void> Forwarder::ask(std::string_view batch, ringlet::RetryProgress& progress) {
    if (!names_are_loaded_) co_await resolver_.load();
    names_are_loaded_ = true;
    const http::Request request{.method = http::Method::post,
                                .url = settings_.url,
                                .body = batch,
                                .content_type = "application/json",
                                .follow_redirects = false};  // would get a page, and post nothing
    auto response = co_await client_.send(request);
    // What the server says is of no interest; but a connection that was read to the end is kept.
    (void)co_await attempt(response.read_all(answer_));
    if (response.is_success()) co_return;
    const auto most = std::chrono::duration_cast<std::chrono::seconds>(settings_.retry_max);
    progress.pause_min = http::retry_after(response.header("retry-after"), most);
    co_await ringlet::fail(http::status_error(response.status()));
}

}  // namespace station
