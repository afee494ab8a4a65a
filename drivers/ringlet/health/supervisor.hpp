// Supervisor: feeds the watchdogs as long as every task votes that it is alive.
//
//   Task<void> read_sensor(health::Supervisor& supervisor) {
//       health::Voter vote(supervisor, 5s);            // at least every 5 s
//       for (;;) {
//           co_await measure();
//           vote.alive();
//       }
//   }
//
//   health::Supervisor supervisor;
//   supervisor.feed(watchdog);                         // the hardware's
//   supervisor.feed(service);                          // systemd's
//   co_await supervisor.run([&]() -> Task<void> {
//       co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
//           group.spawn(read_sensor, std::ref(supervisor)).named("sensor");
//           ...
//       });
//   });
//
//   fed ---1--> not fed ---2--> fed
//   1 a vote is late, or nobody votes at all. The log has the late task's name and the line of the
//     co_await where it stands
//   2 the vote came after all, before the watchdog's timeout was over
//
// A task that never comes back to the loop stops the supervisor, too: then nothing is logged, and
// nothing is fed.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/health/service.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/watchdog/watchdog.hpp>

namespace ringlet::health {

struct Limits {
    // Votes are looked at, and watchdogs fed, so often at least; oftener if a watchdog needs it:
    // three times within its timeout.
    Nanoseconds check_every = std::chrono::seconds(1);
};

class Supervisor;

// A task's vote. It stands for the task that makes it, and as long as it lives; so a task that has
// ended is missed by nobody: a failure it hands to its group.
class Voter : public ListLink<> {
public:
    // The task votes at least every `period`; making it counts as a vote. The supervisor outlives
    // it. `name` is static text; null: the task's own, as the await tree shows it.
    Voter(Supervisor& supervisor, Nanoseconds period, const char* name = nullptr);
    ~Voter() { unlink(); }
    Voter(const Voter&) = delete;
    Voter& operator=(const Voter&) = delete;

    // The task is alive, and has done what it is for.
    void alive();

private:
    friend class Supervisor;

    const char* name() const;
    void report(Nanoseconds late) const;

    TaskBlock& task_;
    const char* name_;
    Nanoseconds period_;
    Instant last_;
    bool is_late_ = false;
};

class Supervisor {
public:
    explicit Supervisor(Limits limits = {}) : interval_(limits.check_every) {}
    ~Supervisor() { RINGLET_ASSERT(voters_.empty()); }
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // What is fed; before run(), which they outlive.
    void feed(watchdog::Watchdog& watchdog);
    void feed(Service& service);

    // Runs `body`, a callable () -> Task<void>, and feeds meanwhile; also while it unwinds. When it
    // has ended, well or cancelled (a stop by SIGTERM), the watchdog is disarmed; when it has
    // failed, the watchdog is closed, and resets the machine. The service manager is told of the
    // stop when it begins. Once.
    //
    // Errors: the body's; not_enough_memory.
    // Cancellation: the body's; the watchdog is disarmed.
    template <class Body>
    Task<void> run(Body&& body) {
        static_assert(safe_callable_in_co_await<Body&&>, RINGLET_NAME_THE_CALLABLE);
        return run_to_the_end<std::decay_t<Body>>(std::forward<Body>(body));
    }

    // Whether all votes were there when they were last looked at.
    bool is_well() const { return is_well_; }
    // How often all that is to be fed was, each time without an error.
    std::uint64_t fed() const { return fed_; }

private:
    friend class Voter;

    // Sets a flag, and wakes the feeder, however its scope is left.
    class AtEnd {
    public:
        AtEnd(Supervisor& supervisor, bool& flag) : supervisor_(supervisor), flag_(flag) {}
        AtEnd(const AtEnd&) = delete;
        ~AtEnd() {
            flag_ = true;
            supervisor_.changed_.set();
        }

    private:
        Supervisor& supervisor_;
        bool& flag_;
    };

    template <class Body>
    Task<void> run_to_the_end(Body body) {
        const auto leave = [this](Outcome outcome) { return this->leave(outcome); };
        co_await finally(run_fed(body), leave);
    }
    template <class Body>
    Task<void> run_fed(Body& body) {
        const auto both = [&](TaskGroup& group) -> Task<void> {
            group.spawn([this] { return feed_to_the_end(); }).named("health supervisor");
            group.spawn([this] { return notice_stop(); }).named("stop");
            const AtEnd ended(*this, ended_);
            auto task = body();
            co_await std::move(task);
        };
        co_await TaskGroup::run(both);
    }
    Task<void> feed_to_the_end();
    Task<void> feed_while_well();
    Task<void> feed_all();
    Task<void> notice_stop();
    Task<void> tell_of_stop();
    Task<void> leave(Outcome outcome);
    bool look();

    Nanoseconds interval_;
    watchdog::Watchdog* watchdog_ = nullptr;
    Service* service_ = nullptr;
    IntrusiveList<Voter> voters_;
    Event changed_;   // for the feeder
    Event all_over_;  // for notice_stop()
    std::uint64_t fed_ = 0;
    unsigned looks_without_voters_ = 0;
    bool is_well_ = false;
    bool stops_ = false;
    bool told_of_stop_ = false;
    bool ended_ = false;
};

}  // namespace ringlet::health
