// Looking at the votes, and feeding.
#include <ringlet/health/supervisor.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/await_tree.hpp>

#include <algorithm>

namespace ringlet::health {
namespace {

// A feeding that comes a little late is none too late.
constexpr int feedings_within_timeout = 3;

unsigned in_milliseconds(Nanoseconds span) {
    return static_cast<unsigned>(span.count() / 1'000'000);
}

void log_line(std::string_view line, void*) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    log::error("health:   %.*s", static_cast<int>(line.size()), line.data());
}

template <class T>
bool was_fed(const char* what, const Result<T>& result) {
    if (!result) log::warning("health: %s cannot be fed: %s", what, text(result.error()));
    return result.has_value();
}

}  // namespace

// ---- Voter ----

Voter::Voter(Supervisor& supervisor, Nanoseconds period, const char* name)
    : task_(scheduler().running()), name_(name), period_(period),
      last_(scheduler().now(Clock::monotonic)) {
    RINGLET_ASSERT(period.count() > 0);
    supervisor.voters_.push_back(*this);
}

const char* Voter::name() const {
    if (name_ != nullptr) return name_;
    return task_.name != nullptr ? task_.name : "a task";
}

void Voter::alive() {
    last_ = scheduler().now(Clock::monotonic);
    if (std::exchange(is_late_, false)) log::warning("health: %s votes again", name());
}

void Voter::report(Nanoseconds late) const {
    log::error("health: %s has not voted for %u ms, of at most %u ms; it stands at", name(),
               in_milliseconds(late), in_milliseconds(period_));
    print_await_tree(task_, log_line, nullptr);
}

// ---- Supervisor ----

void Supervisor::feed(watchdog::Watchdog& watchdog) {
    watchdog_ = &watchdog;
    interval_ = std::min(interval_, Nanoseconds(watchdog.timeout()) / feedings_within_timeout);
}

void Supervisor::feed(Service& service) {
    service_ = &service;
    if (service.watchdog().count() == 0) return;
    interval_ = std::min(interval_, service.watchdog() / feedings_within_timeout);
}

// Each late one is told once.
bool Supervisor::look() {
    const Instant now = scheduler().now(Clock::monotonic);
    bool all_there = !voters_.empty();
    for (Voter* each = voters_.front(); each != nullptr; each = voters_.after(*each)) {
        const Nanoseconds since(now - each->last_);
        if (since <= each->period_) continue;
        all_there = false;
        if (!std::exchange(each->is_late_, true)) each->report(since);
    }
    looks_without_voters_ = voters_.empty() && !stops_ ? looks_without_voters_ + 1 : 0;
    if (looks_without_voters_ == 2) log::warning("health: no task votes, so nothing is fed");
    return all_there;
}

// A manager that takes nothing is not waited for so long that the watchdog would miss a feeding.
Task<void> Supervisor::feed_all() {
    bool all = true;
    if (watchdog_ != nullptr) {
        const auto fed = co_await attempt(watchdog_->keep_alive());
        all = was_fed("the watchdog", fed);
    }
    if (service_ != nullptr && service_->watchdog().count() != 0) {
        const auto told = co_await attempt(timeout(interval_ / 2, service_->alive()));
        all = was_fed("the service manager", told) && all;
    }
    if (all) ++fed_;
}

Task<void> Supervisor::feed_while_well() {
    while (!ended_) {
        is_well_ = look();
        // A moment without a frame for these is one feeding less; an error would end the program.
        if (is_well_) {
            const auto fed = co_await attempt(feed_all());
            if (!fed) log::warning("health: nothing could be fed: %s", text(fed.error()));
        }
        if (stops_) (void)co_await attempt(tell_of_stop());  // else the next time
        changed_.clear();
        if (ended_) break;
        (void)co_await attempt(timeout(interval_, changed_.wait()));
    }
    all_over_.set();
}

// Also while the body unwinds, which may take its time.
Task<void> Supervisor::feed_to_the_end() {
    co_await shield(feed_while_well());
}

// When the body ends, and when all is cancelled: then the body has still to unwind.
Task<void> Supervisor::notice_stop() {
    const AtEnd stops(*this, stops_);
    co_await all_over_.wait();
}

Task<void> Supervisor::tell_of_stop() {
    if (service_ == nullptr || std::exchange(told_of_stop_, true)) co_return;
    const auto told = co_await attempt(timeout(interval_ / 2, service_->stopping()));
    if (!told) log::warning("health: the service manager cannot be told: %s", text(told.error()));
}

Task<void> Supervisor::leave(Outcome outcome) {
    (void)co_await attempt(tell_of_stop());  // an error must not keep the watchdog running
    if (watchdog_ != nullptr) co_await watchdog_->leave(outcome);
}

}  // namespace ringlet::health
