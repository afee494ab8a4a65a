// Nodes that are one step: holding a lock, waiting for time, an event, an item.
#include "interpret.hpp"

#include <ringlet/flow/generator.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/yield.hpp>
#include <ringlet/time/ticker.hpp>

#include <algorithm>
#include <optional>

namespace ringlet::simulate {
namespace {

// A place in a mutex's line, as the model counts it. First come, first served; but whoever was
// cancelled may have left the line before it unwinds.
class Place {
public:
    Place(SharedMutex& mutex, At at) : mutex_(mutex), at_(at), number_(++mutex.tickets) {
        counted_ = mutex.waiting < mutex.line.size();
        if (counted_) mutex.line[mutex.waiting++] = {number_, &at.scope};
    }
    ~Place() { leave(); }
    Place(const Place&) = delete;

    void got() {
        for (auto* each = begin(); counted_ && each->number != number_; ++each) {
            if (each->scope->may_end(at_.now()) || at_.context.ran_out()) continue;
            found("a mutex was not first come, first served", each->number);
        }
        leave();
    }

private:
    SharedMutex::Ticket* begin() { return mutex_.line.data(); }
    SharedMutex::Ticket* end() { return begin() + mutex_.waiting; }
    void leave() {
        if (!std::exchange(counted_, false)) return;
        const auto is_this = [&](const auto& each) { return each.number == number_; };
        auto* const place = std::find_if(begin(), end(), is_this);
        std::copy(place + 1, end(), place);
        --mutex_.waiting;
    }

    SharedMutex& mutex_;
    At at_;
    std::uint32_t number_;
    bool counted_ = false;
};

// What goes on inside: the children, or a pause.
Task<void> hold(At at) {
    if (at.children() == 0) co_await sleep(at.draw_us(300));
    for (unsigned i = 0; i < at.children(); ++i)
        co_await run_node(at.child(i));
}

}  // namespace

Task<void> run_locked(At at) {
    const Entered entered(at);
    SharedMutex& shared = at.context.mutexes[at.number(0) % at.context.mutexes.size()];
    Place place(shared, at);
    auto guard = co_await shared.mutex.lock();
    place.got();
    const Running holding(shared.holders);
    if (shared.holders > 1) found("two tasks hold a mutex");
    co_await hold(at);
}

Task<void> run_permit(At at) {
    const Entered entered(at);
    SharedSemaphore& shared = at.context.semaphores[at.number(0) % at.context.semaphores.size()];
    std::optional<Permit> permit;
    {
        const Running waiting(shared.waiting);
        permit = co_await shared.semaphore.acquire();
    }
    const Running holding(shared.holders);
    if (shared.holders > shared.semaphore.permits()) found("too many tasks hold a permit");
    co_await hold(at);
}

Task<void> run_sleep(At at) {
    const Entered entered(at);
    const auto span = at.span(0);
    const Clock clock = at.number(1) % 4 == 0 ? Clock::boottime : Clock::monotonic;
    const Slack slack{std::chrono::microseconds(at.number(2) % 4 == 0 ? at.number(2) : 0)};
    const Instant due = slack.apply(later(scheduler().now(clock), span));
    co_await sleep_until(Deadline(clock, due));
    const Instant late = scheduler().now(clock) - due;
    if (late < 0) found("a sleep ended too early", -late);
    if (late > 0) found("a sleep ended too late", late);
}

Task<void> run_timed_sleep(At at) {
    const Entered entered(at);
    const auto limit = at.span(0);
    const auto span = at.span(1);
    const Instant start = at.now();
    const auto outcome = co_await attempt(timeout(limit, sleep(span)));
    const Instant due = later(start, std::min(limit, span));
    if (at.now() != due) found("a sleep with a time limit ended at a wrong time", at.now() - due);
    if (limit > span && !outcome) found("a sleep was cut off before its time limit");
    if (limit < span && outcome) found("a sleep was longer than its time limit");
}

Task<void> run_tick(At at) {
    const Entered entered(at);
    const std::chrono::microseconds period(100 + at.number(0) % 3 * 50);
    const Instant start = at.now();
    Ticker ticker(period);
    for (unsigned tick = 1; tick <= 1 + at.number(1) % 6; ++tick) {
        co_await ticker.tick();
        if (at.now() != later(start, period * tick)) found("a tick was not on time", tick);
    }
}

Task<void> run_yield(At at) {
    const Entered entered(at);
    for (unsigned left = 1 + at.number(0) % 5; left > 0; --left) {
        const Awaiting awaiting(at);
        co_await yield();
        awaiting.completed();
    }
}

Task<void> run_fail(At at) {
    const Entered entered(at);
    co_await fail(std::errc::argument_out_of_domain);
}

Task<void> run_cancel(At at) {
    const Entered entered(at);
    at.context.cancel_any(at.number(0));
    co_return;
}

// --- generator

namespace {

Generator<unsigned> count_up(At at, unsigned until) {
    for (unsigned i = 0; i < until; ++i) {
        co_await work(at);
        co_yield i;
    }
}

}  // namespace

Task<void> run_generator(At at) {
    const Entered entered(at);
    auto numbers = count_up(at, at.number(0) % 8);
    unsigned expected = 0;
    for (unsigned left = at.number(1) % 10; left > 0; --left) {
        const auto next = co_await numbers.next();
        if (!next) break;
        if (*next != expected++) found("a generator gave a wrong value", *next);
    }
}

// --- the whole program's queue and event

Task<void> run_shared_put(At at) {
    const Entered entered(at);
    Context& context = at.context;
    for (unsigned left = 1 + at.number(0) % 4; left > 0; --left) {
        Putting putting(context.items);
        // What is dropped makes room past those in line, so that the order would be another.
        if (putting.is_alone() && at.one_in(4)) {
            const auto dropped = context.queue.dropped();
            context.queue.offer(std::move(putting.item), Overflow::drop_oldest);
            if (context.queue.dropped() != dropped) context.items.dropped();
        } else {
            const auto limit = at.span(1);
            const Awaiting awaiting(at);
            const Running waiting(context.items.putters);
            co_await timeout(limit, context.queue.put(std::move(putting.item)));
            awaiting.completed();
        }
    }
}

Task<void> run_shared_get(At at) {
    const Entered entered(at);
    Context& context = at.context;
    for (unsigned left = 1 + at.number(0) % 4; left > 0; --left) {
        if (at.one_in(4)) {
            const auto item = context.queue.try_get();
            if (item) context.items.got(*item);
            continue;
        }
        const auto limit = at.span(1);
        const Awaiting awaiting(at);
        const Running waiting(context.items.getters);
        const auto item = co_await timeout(limit, context.queue.get());
        awaiting.completed();
        if (!item) found("an open queue came to its end");
        context.items.got(*item);
    }
}

Task<void> run_event_wait(At at) {
    const Entered entered(at);
    const auto limit = at.span(0);
    const Awaiting awaiting(at);
    const auto sets = at.context.event_sets;
    const auto outcome = co_await attempt(timeout(limit, at.context.event.wait()));
    awaiting.completed();
    const bool was_set = at.context.event_sets != sets && at.context.event_set_at < at.now();
    if (!outcome && was_set) found("an event was set, and did not wake who waited");
    at.say(outcome.has_value());
}

Task<void> run_event_set(At at) {
    const Entered entered(at);
    at.context.event.set();
    ++at.context.event_sets;
    at.context.event_set_at = at.now();
    if (at.number(0) % 2 == 0) co_await yield();
    at.context.event.clear();
}

}  // namespace ringlet::simulate
