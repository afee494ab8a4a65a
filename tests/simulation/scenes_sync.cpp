// Scenes of several tasks that meet in queues, conditions and their like. Each ends when one of its
// parts does: a destructor tells the others, whatever the way out.
#include "interpret.hpp"

#include <ringlet/flow/race.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/sync/barrier.hpp>
#include <ringlet/sync/broadcast.hpp>
#include <ringlet/sync/condition.hpp>
#include <ringlet/sync/watch.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <optional>

namespace ringlet::simulate {
namespace {

constexpr unsigned tasks_max = 4;

// What all scenes have: the tasks that run, and why they may end.
struct Scene {
    explicit Scene(At where) : at(where), whole(&where.scope) {
        at.count_task(1);
        at.count_task(2);
    }
    At inside() { return at.in(whole); }

    At at;
    Scope whole;
    Branches branches;
};

// A scene's task: its error is the scene's end.
template <class Role, class S>
Task<void> act(Role role, S& scene, unsigned number) {
    const Running running(scene.branches.running);
    const auto outcome = co_await attempt(role(scene, number));
    if (outcome) co_return;
    scene.whole.cancelled = true;
    co_await fail(outcome.error());
}

template <class Role, class S>
void spawn(TaskGroup& group, S& scene, Role role, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        const auto handle = group.spawn(act<Role, S>, role, std::ref(scene), i);
        if (handle.done()) scene.whole.cancelled = true;  // no memory
    }
}

// --- queue: producers, consumers, and every item accounted for

struct QueueScene : Scene {
    explicit QueueScene(At where)
        : Scene(where), items_each(1 + where.number(2) % 12), queue(1 + where.number(2) % 4) {}
    ~QueueScene() { ledger.check(queue.size()); }

    unsigned items_each;
    unsigned producers = 0;
    unsigned consumers = 0;
    bool all_made = true;
    ItemLedger ledger;
    Queue<Item, 4> queue;
    Quiet quiet{at.context,
                [](void* self) {
                    const auto& scene = *static_cast<QueueScene*>(self);
                    scene.ledger.check_quiet(scene.queue);
                },
                this};
};

// The last to leave closes, so that nobody waits for it.
class QueueParty {
public:
    QueueParty(QueueScene& scene, unsigned& count) : scene_(scene), count_(count) {}
    ~QueueParty() {
        if (--count_ == 0) scene_.queue.close();
    }
    QueueParty(const QueueParty&) = delete;

private:
    QueueScene& scene_;
    unsigned& count_;
};

Task<void> produce(QueueScene& scene, unsigned) {
    const At at = scene.inside();
    const QueueParty party(scene, scene.producers);
    for (unsigned i = 0; i < scene.items_each; ++i) {
        Putting putting(scene.ledger);
        const Awaiting awaiting(at);
        if (at.one_in(4)) {
            const Running waiting(scene.ledger.putters);
            const auto limit = at.draw_us(400);
            const auto put =
                co_await attempt(timeout(limit, scene.queue.put(std::move(putting.item))));
            if (!put && putting.item.is_here() && put.error() == RuntimeDetail::closed) co_return;
            if (!put && !putting.item.is_here()) found("a put failed, but took its item");
        } else {
            const Running waiting(scene.ledger.putters);
            const auto put = co_await attempt(scene.queue.put(std::move(putting.item)));
            if (put && putting.item.is_here()) found("a put did not take its item");
            if (!put && !scene.queue.is_closed()) found("a put into an open queue failed");
            if (!put) co_return;
        }
        awaiting.completed();
        co_await work(at);
    }
}

// False at the end.
Task<bool> consume_one(QueueScene& scene, std::optional<Nanoseconds> limit) {
    const Running waiting(scene.ledger.getters);
    std::optional<Item> item;
    if (limit) {
        auto got = co_await attempt(timeout(*limit, scene.queue.get()));
        if (!got) co_return true;
        item = std::move(*got);
    } else {
        item = co_await scene.queue.get();
    }
    if (item) {
        scene.ledger.got(*item);
        scene.queue.task_done();
        co_return true;
    }
    if (!scene.queue.is_closed()) found("an open queue came to its end");
    scene.ledger.check(0);
    co_return false;
}

Task<void> consume(QueueScene& scene, unsigned) {
    const At at = scene.inside();
    const QueueParty party(scene, scene.consumers);
    for (bool goes_on = true; goes_on;) {
        const Awaiting awaiting(at);
        const auto way = at.draw(0, 5);
        if (way == 0) {
            // Two may be promised an item in one turn, of which one has to give it back.
            auto raced = co_await race(consume_one(scene, {}), consume_one(scene, {}));
            const auto& [one, other] = raced.outcomes;
            const auto& first = raced.first == 0 ? one : other;
            if (!*first) co_await fail(first->error());
            goes_on = **first;
        } else if (way == 1) {
            goes_on = co_await consume_one(scene, at.draw_us(400));
        } else {
            goes_on = co_await consume_one(scene, {});
        }
        awaiting.completed();
        co_await work(at);
    }
}

}  // namespace

Task<void> run_queue(At at) {
    const Entered entered(at);
    QueueScene scene(at);
    scene.producers = 1 + at.number(0) % (tasks_max - 1);
    scene.consumers = 1 + at.number(1) % (tasks_max - 1);
    const unsigned producers = scene.producers;
    const unsigned consumers = scene.consumers;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        spawn(group, scene, produce, producers);
        spawn(group, scene, consume, consumers);
        co_return;
    });
}

// --- condition: tokens handed out under a mutex

namespace {

struct ConditionScene : Scene {
    using Scene::Scene;
    ~ConditionScene() {
        if (handed_out != taken + tokens) found("tokens of a condition were lost");
    }
    // Each token was told of under the mutex: whoever waits still was not told, or not woken.
    void check_quiet() const {
        if ((tokens > 0 || over) && changed.waiting() > 0 && !mutex.is_locked()) {
            found("a notification of a condition was lost");
        }
    }

    Mutex mutex;
    Condition changed;
    unsigned holders = 0;
    unsigned tokens = 0;
    unsigned handed_out = 0;
    unsigned taken = 0;
    bool over = false;
    Quiet quiet{at.context, [](void* self) { static_cast<ConditionScene*>(self)->check_quiet(); },
                this};
};

// A token that no notification told of would be lost on those that wait.
class ConditionEnd {
public:
    explicit ConditionEnd(ConditionScene& scene) : scene_(scene) {}
    ~ConditionEnd() {
        scene_.over = true;
        scene_.changed.notify_all();
    }
    ConditionEnd(const ConditionEnd&) = delete;

private:
    ConditionScene& scene_;
};

Task<void> take_tokens(ConditionScene& scene, unsigned) {
    const At at = scene.inside();
    for (;;) {
        auto guard = co_await scene.mutex.lock();
        const auto look = [&] { return scene.tokens > 0 || scene.over; };
        if (!look() && at.one_in(3)) {
            const auto limit = at.draw_us(300);
            const auto waited = co_await attempt(timeout(limit, scene.changed.wait(guard)));
            if (!guard.owns_lock()) found("a condition's wait came back without its mutex");
            if (!waited) {
                // It goes away without a look: what it was told of is now another's.
                guard.unlock();
                co_await sleep(at.draw_us(300));
                continue;
            }
        } else {
            co_await scene.changed.wait(guard, look);
        }
        const Running holding(scene.holders);
        if (scene.holders > 1) found("two tasks came back from a condition with the mutex");
        if (scene.tokens > 0) {
            --scene.tokens;
            ++scene.taken;
        } else if (scene.over) {
            co_return;
        }
        if (at.one_in(3)) co_await sleep(at.draw_us(100));
    }
}

Task<void> hand_out_tokens(ConditionScene& scene, unsigned) {
    const At at = scene.inside();
    const ConditionEnd end(scene);
    for (unsigned left = 2 + at.number(1) % 8; left > 0; --left) {
        co_await work(at);
        {
            auto guard = co_await scene.mutex.lock();
            const unsigned count = at.draw(1, 3);
            scene.tokens += count;
            scene.handed_out += count;
            if (count > 1)
                scene.changed.notify_all();
            else
                scene.changed.notify_one();
            // Whoever was told may run out of time before it gets the mutex.
            if (at.one_in(2)) co_await sleep(at.draw_us(300));
        }
    }
}

}  // namespace

Task<void> run_condition(At at) {
    const Entered entered(at);
    ConditionScene scene(at);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        spawn(group, scene, take_tokens, 1 + at.number(0) % 3);
        spawn(group, scene, hand_out_tokens, 1);
        co_return;
    });
}

// --- barrier: rounds in step

namespace {

struct BarrierScene : Scene {
    explicit BarrierScene(At where)
        : Scene(where), barrier(1 + where.number(0) % (tasks_max - 1)) {}

    Barrier barrier;
    std::array<unsigned, tasks_max> rounds{};
};

class BarrierParty {
public:
    explicit BarrierParty(BarrierScene& scene) : scene_(scene) {}
    ~BarrierParty() { scene_.barrier.abort(); }
    BarrierParty(const BarrierParty&) = delete;

private:
    BarrierScene& scene_;
};

Task<void> march(BarrierScene& scene, unsigned number) {
    const At at = scene.inside();
    const BarrierParty party(scene);
    for (unsigned round = 0; round < 1 + at.number(1) % 6; ++round) {
        scene.rounds[number] = round;
        co_await work(at);
        const auto place = co_await attempt(scene.barrier.wait());
        if (!place && scene.barrier.is_aborted()) co_return;
        if (!place) found("a barrier failed that was not aborted");
        if (*place >= scene.barrier.parties()) found("a barrier gave a wrong number");
        for (unsigned i = 0; i < scene.barrier.parties(); ++i) {
            if (scene.rounds[i] < round) found("a barrier let a task through alone", i);
        }
    }
}

}  // namespace

Task<void> run_barrier(At at) {
    const Entered entered(at);
    BarrierScene scene(at);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        spawn(group, scene, march, static_cast<unsigned>(scene.barrier.parties()));
        co_return;
    });
}

// --- broadcast: every message to everybody, in order, or counted as missed

namespace {

struct BroadcastScene : Scene {
    using Scene::Scene;
    Broadcast<std::uint32_t, 4> broadcast;
    std::uint32_t sent = 0;
};

class BroadcastEnd {
public:
    explicit BroadcastEnd(BroadcastScene& scene) : scene_(scene) {}
    ~BroadcastEnd() { scene_.broadcast.close(); }
    BroadcastEnd(const BroadcastEnd&) = delete;

private:
    BroadcastScene& scene_;
};

Task<void> listen(BroadcastScene& scene, unsigned) {
    const At at = scene.inside();
    auto subscription = scene.broadcast.subscribe();
    // Whatever else it does takes time of its own; but while it waits, there is nothing to read.
    struct Listener {
        Broadcast<std::uint32_t, 4>::Subscription& subscription;
        unsigned waits = 0;
    } listener{subscription};
    const Quiet quiet(
        at.context,
        [](void* self) {
            const auto& each = *static_cast<Listener*>(self);
            if (each.waits > 0 && each.subscription.pending() > 0) {
                found("a receiver waits, and a message is there");
            }
        },
        &listener);
    std::uint32_t seen = scene.sent;  // or missed
    std::uint64_t missed = 0;
    for (;;) {
        ++listener.waits;
        const auto message = co_await subscription.receive();
        --listener.waits;
        if (!message) break;
        seen += static_cast<std::uint32_t>(subscription.missed() - missed) + 1;
        missed = subscription.missed();
        if (*message != seen) found("a broadcast's message was lost, or came twice", *message);
        co_await work(at);
    }
    if (seen != scene.sent) found("a broadcast ended before its last message", seen);
}

Task<void> speak(BroadcastScene& scene, unsigned) {
    const At at = scene.inside();
    const BroadcastEnd end(scene);
    for (unsigned left = 1 + at.number(1) % 16; left > 0; --left) {
        ++scene.sent;
        const std::size_t reached = scene.broadcast.send(scene.sent);
        if (reached != scene.broadcast.subscriptions()) found("a broadcast did not reach all");
        if (at.one_in(2)) co_await work(at);
    }
}

}  // namespace

Task<void> run_broadcast(At at) {
    const Entered entered(at);
    BroadcastScene scene(at);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        spawn(group, scene, listen, 1 + at.number(0) % 3);
        spawn(group, scene, speak, 1);
        co_return;
    });
}

// --- watch: the latest, and never an older one

namespace {

struct WatchScene : Scene {
    using Scene::Scene;
    Watch<std::uint32_t> watch{0};
};

class WatchEnd {
public:
    explicit WatchEnd(WatchScene& scene) : scene_(scene) {}
    ~WatchEnd() { scene_.watch.close(); }
    WatchEnd(const WatchEnd&) = delete;

private:
    WatchScene& scene_;
};

Task<void> look(WatchScene& scene, unsigned) {
    const At at = scene.inside();
    auto reader = scene.watch.reader();
    struct Reading {
        Watch<std::uint32_t>::Reader& reader;
        unsigned waits = 0;
    } reading{reader};
    const Quiet quiet(
        at.context,
        [](void* self) {
            const auto& each = *static_cast<Reading*>(self);
            if (each.waits > 0 && each.reader.has_changed()) {
                found("a reader waits, and there is a new value");
            }
        },
        &reading);
    std::uint32_t seen = scene.watch.get();
    for (;;) {
        ++reading.waits;
        const auto value = co_await reader.changed();
        --reading.waits;
        if (!value) break;
        if (*value <= seen || *value != scene.watch.get())
            found("a watch gave an old value", *value);
        seen = *value;
        co_await work(at);
    }
    if (seen != scene.watch.get()) found("a watch ended before its last value", seen);
}

Task<void> change(WatchScene& scene, unsigned) {
    const At at = scene.inside();
    const WatchEnd end(scene);
    for (unsigned left = 1 + at.number(1) % 10; left > 0; --left) {
        if (!scene.watch.set(scene.watch.get() + 1)) found("an open watch took no value");
        co_await work(at);
    }
}

}  // namespace

Task<void> run_watch(At at) {
    const Entered entered(at);
    WatchScene scene(at);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        spawn(group, scene, look, 1 + at.number(0) % 3);
        spawn(group, scene, change, 1);
        co_return;
    });
}

}  // namespace ringlet::simulate
