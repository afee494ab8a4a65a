// The tasks.
#include <station.hpp>

#include <ringlet/app/exit_status.hpp>
#include <ringlet/base/log.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/ticker.hpp>

namespace station {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Task;
using ringlet::TaskGroup;
namespace health = ringlet::health;
namespace watchdog = ringlet::watchdog;

namespace {

// With no reading for so long the collector votes nevertheless.
constexpr ringlet::Nanoseconds quiet = 5s;
// What it takes at most to keep a window: a flash chip that cleans up takes seconds.
constexpr ringlet::Nanoseconds keeping_max = 10s;

unsigned long long wide(std::uint64_t number) {
    return number;
}

}  // namespace

Station::Station(const Settings& settings, const Devices& devices)
    : settings_(settings),
      devices_(devices),
      sources_(settings_, devices_, readings_, condition_, losses_),
      forwarder_(settings_, store_, condition_, losses_),
      indicator_(condition_, devices_.led) {}

Task<int> Station::run() {
    const auto ended = co_await attempt(work());
    if (!ended) ringlet::log::error("station: %s", ringlet::text(ended.error()));
    co_return ringlet::exit_status::some_failed;
}

Task<void> Station::work() {
    co_await open_store();
    auto service = co_await open_service();
    supervisor_.feed(service);
    if (devices_.watchdog == nullptr) co_return co_await supervise(service);
    const auto guarded = [&](watchdog::Watchdog& dog) -> Task<void> {
        supervisor_.feed(dog);
        co_await supervise(service);
    };
    co_await ringlet::with(open_watchdog(), guarded);
}

Task<void> Station::open_store() {
    const char* const path = settings_.store.data();
    const auto opened = co_await attempt(store_.open(path, settings_.store_batches));
    if (!opened) {
        if (opened.error() == has_other_slots) {
            ringlet::log::error("%s was made as the store of %u batches, not %u", path,
                                store_.slots(), settings_.store_batches);
            ringlet::log::error("a new store begins at number 1: give it another --name, too");
        } else {
            ringlet::log::error("%s cannot be the store of %u batches", path,
                                settings_.store_batches);
        }
        co_await ringlet::fail(opened.error());
    }
    losses_.batches += store_.overwritten();
    ringlet::log::info("%s: %llu batches wait to be sent", path, wide(store_.waiting()));
}

Task<health::Service> Station::open_service() {
    auto opened = co_await attempt(health::Service::open());
    if (!opened) {
        ringlet::log::error("NOTIFY_SOCKET cannot be the service manager's");
        co_await ringlet::fail(opened.error());
    }
    co_return std::move(*opened);
}

Task<watchdog::Watchdog> Station::open_watchdog() {
    const watchdog::Options options{
        .timeout = std::chrono::ceil<std::chrono::seconds>(settings_.watchdog_timeout)};
    auto opened = co_await attempt(watchdog::Watchdog::open(devices_.watchdog, options));
    if (!opened) {
        ringlet::log::error("%s cannot be the watchdog", devices_.watchdog);
        co_await ringlet::fail(opened.error());
    }
    co_return std::move(*opened);
}

Task<void> Station::supervise(health::Service& service) {
    const auto clean_up = [this](ringlet::Outcome) { return finish(); };
    const auto body = [&]() -> Task<void> {
        co_await ringlet::finally(serve(service), clean_up);
    };
    co_await supervisor_.run(body);
}

Task<void> Station::serve(health::Service& service) {
    opened_ = ringlet::scheduler().now();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        sources_.spawn(group, supervisor_);
        group.spawn(&Station::collect, std::ref(*this)).named("collector");
        group.spawn(&Station::keep_windows, std::ref(*this)).named("store");
        group.spawn(&Forwarder::run, std::ref(forwarder_), std::ref(supervisor_))
            .named("forwarder");
        indicator_.spawn(group, service);
        const auto told = co_await attempt(service.ready());
        if (!told) ringlet::log::warning("service manager: %s", ringlet::text(told.error()));
    });
}

void Station::add(const Reading& reading) {
    if (!window_.add(reading)) ++losses_.channels;
}

Task<void> Station::collect() {
    health::Voter vote(supervisor_, 2 * quiet);
    for (;;) {
        const auto reading = co_await attempt(ringlet::timeout(quiet, readings_.get()));
        if (reading && *reading) add(**reading);
        vote.alive();
    }
}

Task<void> Station::keep_windows() {
    ringlet::Ticker every(settings_.window);
    for (;;) {
        co_await every.tick();
        // With nothing in it a batch says that all is well: it shall take no place from others.
        if (window_.is_empty() && store_.waiting() > 0) continue;
        health::Voter vote(supervisor_, keeping_max);
        co_await ringlet::shield(keep_window());
        vote.alive();
    }
}

// What comes meanwhile is of the next window.
Task<void> Station::keep_window() {
    closing_.clear();
    closing_.add_earlier(window_);
    window_.clear();
    ringlet::FixedText<128> condition;
    condition_.append_to(condition);
    const ringlet::Instant now = ringlet::scheduler().now();
    const BatchHead head{.station = settings_.name,
                         .sequence = store_.next_sequence(),
                         .ended = ringlet::scheduler().now(ringlet::Clock::realtime),
                         .length = ringlet::Nanoseconds(now - opened_),
                         .condition = condition.view()};
    const std::uint64_t overwritten = store_.overwritten();
    const auto kept =
        co_await attempt(store_.append(write_batch(batch_, head, closing_, losses_)));
    losses_.batches += store_.overwritten() - overwritten;
    if (kept) {
        opened_ = now;
        condition_.note_well(Part::store, Use::writing);
        forwarder_.wake();
        co_return;
    }
    condition_.note_ill(Part::store, kept.error(), Use::writing);
    losses_.channels += window_.add_earlier(closing_);
}

// Runs shielded, after all tasks have ended.
Task<void> Station::finish() {
    health::Voter vote(supervisor_, keeping_max, "store");
    while (const auto reading = readings_.try_get()) add(*reading);
    if (!window_.is_empty()) co_await keep_window();
    if (!window_.is_empty()) {
        co_await ringlet::sleep(before_next_try);
        vote.alive();
        co_await keep_window();
    }
    if (!window_.is_empty()) ringlet::log::error("store: the open window is lost");
    ringlet::log::info("station: stopped; %llu batches sent, %llu wait",
                       wide(forwarder_.sent()), wide(store_.waiting()));
}

}  // namespace station
