// Nodes that are about other nodes: what runs when, what ends what, and when.
#include "interpret.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/race.hpp>
#include <ringlet/flow/retry.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/task/attempt.hpp>

#include <optional>

namespace ringlet::simulate {
namespace {

constexpr unsigned children_max = 4;

bool is_timeout(Error error) {
    return error == Error(std::errc::timed_out, Domain::runtime);
}

}  // namespace

Task<void> run_sequence(At at) {
    const Entered entered(at);
    for (unsigned i = 0; i < at.children(); ++i)
        co_await run_node(at.child(i));
}

Task<void> run_loop(At at) {
    const Entered entered(at);
    for (auto left = 1 + at.number(0) % 4; left > 0; --left) {
        for (unsigned i = 0; i < at.children(); ++i)
            co_await run_node(at.child(i));
    }
}

Task<void> run_attempt(At at) {
    const Entered entered(at);
    const auto outcome = co_await attempt(run_node(at.child(0)));
    if (!outcome) at.say(static_cast<std::uint64_t>(outcome.error().code()));
}

// --- group

namespace {

struct GroupScene {
    explicit GroupScene(At where) : at(where), whole(&where.scope), body(&whole) {
        for (Scope& task : tasks)
            task.parent = &whole;
    }
    ~GroupScene() {
        for (const Scope& task : tasks)
            at.context.remove(task);
    }

    At at;
    Branches branches;
    Scope whole;
    Scope body;
    std::array<Scope, children_max> tasks;
    std::array<std::optional<TaskHandle<void>>, children_max> handles;
};

void spawn_all(GroupScene& scene, TaskGroup& group) {
    const At& at = scene.at;
    for (unsigned i = 0; i < at.children(); ++i) {
        const At child = at.child(i, scene.tasks[i]);
        auto& handle = scene.handles[i].emplace(group.spawn(
            run_branch, child, std::ref(scene.branches), i, Ends::on_error, std::ref(scene.whole)));
        if (handle.done()) {
            scene.whole.cancelled = true;  // there was no memory for it, so the group stops
        } else {
            at.context.add({&handle, &scene.tasks[i]});
        }
    }
}

Task<void> join_all(GroupScene& scene) {
    const At at = scene.at.in(scene.body);
    for (unsigned i = 0; i < at.children(); ++i) {
        const Awaiting awaiting(at);
        const auto outcome = co_await attempt(scene.handles[i]->join());
        awaiting.completed();
        if (!scene.handles[i]->done()) found("join() gave the outcome of a task that runs");
        at.say(outcome ? 0 : static_cast<std::uint64_t>(outcome.error().code()));
    }
}

Task<void> group_body(GroupScene& scene, TaskGroup& group) {
    spawn_all(scene, group);
    const At at = scene.at.in(scene.body);
    const Awaiting awaiting(at);
    const unsigned what = at.number(0) % 6;
    if (what == 1 || what == 3 || what == 4) {
        co_await sleep(at.span(1));
        awaiting.completed();
    }
    if (what == 1) {
        const unsigned chosen = at.number(2) % at.children();
        if (!scene.handles[chosen]->done()) scene.tasks[chosen].cancelled = true;
        scene.handles[chosen]->cancel();
    } else if (what == 2) {
        co_await join_all(scene);
    } else if (what == 3) {
        for (Scope& task : scene.tasks)
            task.cancelled = true;
        group.cancel_tasks();
    } else if (what == 4) {
        co_await fail(std::errc::invalid_argument);
    } else if (what == 5) {
        co_await timeout(at.span(1), scene.handles[0]->join());
        awaiting.completed();
    }
}

}  // namespace

Task<void> run_group(At at) {
    const Entered entered(at);
    GroupScene scene(at);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto outcome = co_await attempt(group_body(scene, group));
        if (outcome) co_return;
        scene.whole.cancelled = true;
        co_await fail(outcome.error());
    });
}

// --- gather, race

Task<void> run_gather(At at) {
    const Entered entered(at);
    Branches branches;
    Scope whole(&at.scope);
    const auto branch = [&](unsigned number) {
        return run_branch(at.child(number, whole), branches, number, Ends::on_error, whole);
    };
    if (at.children() == 2) {
        const auto both = co_await gather(branch(0), branch(1));
        static_cast<void>(both);
    } else {
        const auto all = co_await gather(branch(0), branch(1), branch(2));
        static_cast<void>(all);
    }
    if (branches.begun != at.children()) found("gather() gave values without a branch");
}

Task<void> run_gather_results(At at) {
    const Entered entered(at);
    Branches branches;
    Scope whole(&at.scope);
    const auto branch = [&](unsigned number) {
        return run_branch(at.child(number, whole), branches, number, Ends::alone, whole);
    };
    std::optional<Error> last;
    if (at.children() == 2) {
        const auto both = co_await gather_results(branch(0), branch(1));
        if (!std::get<1>(both)) last = std::get<1>(both).error();
    } else {
        const auto all = co_await gather_results(branch(0), branch(1), branch(2));
        if (!std::get<2>(all)) last = std::get<2>(all).error();
    }
    if (last && at.number(0) % 2 == 0) co_await fail(*last);
}

namespace {

template <class Raced>
Result<void> check_race(At at, const Branches& branches, Raced& raced) {
    if (raced.first != branches.first && !at.context.ran_out()) {
        found("race() named a branch that was not the first", static_cast<long long>(raced.first));
    }
    Result<void> first;
    std::size_t index = 0;
    std::apply(
        [&](auto&... outcome) {
            ((index++ == raced.first && outcome ? void(first = *outcome) : void()), ...);
        },
        raced.outcomes);
    return first;
}

}  // namespace

Task<void> run_race(At at) {
    const Entered entered(at);
    Branches branches;
    Scope whole(&at.scope);
    const auto branch = [&](unsigned number) {
        return run_branch(at.child(number, whole), branches, number, Ends::always, whole);
    };
    Result<void> first;
    if (at.children() == 2) {
        auto raced = co_await race(branch(0), branch(1));
        first = check_race(at, branches, raced);
    } else {
        auto raced = co_await race(branch(0), branch(1), branch(2));
        first = check_race(at, branches, raced);
    }
    if (!first) co_await fail(first.error());
}

// --- timeout, shield

Task<void> run_timeout(At at) {
    const Entered entered(at);
    Branches branches;
    Scope inside(&at.scope);
    const auto span = At::coarse(at.number(0) % 8 == 0 ? 0 : at.number(0) * 3);
    inside.deadline = later(at.now(), span);
    bool ended_by_itself = false;
    auto body = [&]() -> Task<void> {
        const Running running(branches.running);
        for (unsigned i = 0; i < at.children(); ++i) {
            const auto outcome = co_await attempt(run_node(at.child(i, inside)));
            if (outcome) continue;
            ended_by_itself = true;
            co_await fail(outcome.error());
        }
        ended_by_itself = true;
    };
    const auto outcome = co_await attempt(timeout(span, body()));
    const Instant now = at.now();
    if (branches.running != 0) found("timeout() ended before what it limits");
    if (!ended_by_itself && (outcome || is_timeout(outcome.error())) && now < inside.deadline) {
        found("a time limit ended its work too early", inside.deadline - now);
    }
    if (now > inside.deadline && at.node().prompt) {
        found("a time limit came late", now - inside.deadline);
    }
    if (!outcome && (at.number(1) % 2 == 0 || !is_timeout(outcome.error()))) {
        co_await fail(outcome.error());
    }
}

Task<void> run_shield(At at) {
    const Entered entered(at);
    Branches branches;
    Scope inside;  // nothing outside ends it
    Result<void> outcome;
    bool begun = false;
    bool ended = false;
    auto body = [&]() -> Task<void> {
        const Running running(branches.running);
        begun = true;
        const auto each = co_await attempt(run_node(at.child(0, inside)));
        ended = true;
        if (!each) co_await fail(each.error());
    };
    outcome = co_await attempt(shield(body()));
    if (begun && !ended) found("a shielded task was cut short");
    if (outcome && !begun) found("shield() gave a value of nothing");
    if (!outcome) co_await fail(outcome.error());
}

// --- with, finally, retry

namespace {

// How often a resource was opened, and closed in an orderly way.
struct Opened {
    explicit Opened(At where) : at(where) {}
    ~Opened() {
        if (opened != closed && !at.context.ran_out()) found("with() did not close its resource");
    }
    At at;
    unsigned opened = 0;
    unsigned closed = 0;
};

class Resource {
public:
    explicit Resource(Opened& account) : account_(&account) { ++account.opened; }
    Resource(Resource&& other) noexcept : account_(std::exchange(other.account_, nullptr)) {}
    Resource& operator=(Resource&&) = delete;

    static Task<Resource> open(At at, Opened& account) {
        co_await sleep(at.draw_us(200));
        co_return Resource(account);
    }
    Task<void> close() {
        Opened& account = *std::exchange(account_, nullptr);
        co_await sleep(account.at.draw_us(200));
        ++account.closed;
        if (account.at.one_in(8)) co_await fail(std::errc::io_error);
    }

private:
    Opened* account_;
};

}  // namespace

Task<void> run_with(At at) {
    const Entered entered(at);
    Opened account(at);
    Branches branches;
    co_await with(Resource::open(at, account), [&](Resource&) -> Task<void> {
        const Running running(branches.running);
        if (account.opened != account.closed + 1) found("with() ran without an open resource");
        for (unsigned i = 0; i < at.children(); ++i)
            co_await run_node(at.child(i));
    });
}

Task<void> run_finally(At at) {
    const Entered entered(at);
    struct Account {
        ~Account() {
            if (begun != cleaned && !context.ran_out()) found("finally() did not clean up once");
        }
        Context& context;
        unsigned begun = 0;
        unsigned cleaned = 0;
    } account{at.context};
    Scope shielded;
    auto clean_up = [&](Outcome) -> Task<void> {
        co_await sleep(at.draw_us(200));
        if (at.children() > 1) {
            const auto outcome = co_await attempt(run_node(at.child(1, shielded)));
            if (!outcome) at.say(static_cast<std::uint64_t>(outcome.error().code()));
        }
        ++account.cleaned;
    };
    auto work_first = [&]() -> Task<void> {
        ++account.begun;
        co_await run_node(at.child(0));
    };
    co_await finally(work_first(), clean_up);
}

Task<void> run_retry(At at) {
    const Entered entered(at);
    const unsigned attempts = 1 + at.number(0) % 4;
    unsigned begun = 0;
    const Instant start = at.now();
    auto action = [&]() -> Task<void> {
        if (++begun > attempts) found("retry() tried too often", begun);
        co_await run_node(at.child(0));
    };
    const RetryPolicy policy{.attempts = attempts,
                             .first_delay = at.span(1),
                             .delay_max = std::chrono::milliseconds(2),
                             .jitter = at.number(2) % 2 == 0 ? Jitter::none : Jitter::full,
                             .retries = [](Error) { return true; }};
    const auto outcome = co_await attempt(retry(policy, action));
    if (outcome) co_return;
    const bool gave_up_early = begun < attempts && begun > 0;
    if (gave_up_early && !at.context.ran_out()) found("retry() gave up early", begun);
    if (policy.jitter == Jitter::none && begun > 1 && at.now() < later(start, policy.first_delay) &&
        policy.first_delay < policy.delay_max) {
        found("retry() did not pause");
    }
    co_await fail(outcome.error());
}

}  // namespace ringlet::simulate
