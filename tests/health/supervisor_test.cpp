// Votes, what happens without one, and how the watchdog is left.
#include "health/health_cases.hpp"

namespace ringlet::support {
namespace {

unsigned stuck_at;  // the line

// Votes each second, so many times; then it hangs until it is set free.
Task<void> work(Supervisor& supervisor, unsigned votes, Event& free) {
    Voter vote(supervisor, 3s);
    for (unsigned i = 0; i < votes; ++i) {
        co_await sleep(1s);
        vote.alive();
    }
    stuck_at = __LINE__ + 1;
    co_await free.wait();
    vote.alive();
    co_await sleep(1s);
}

// A world with a watchdog of ten seconds, and a manager that listens.
struct Surroundings {
    Surroundings() {
        simulation.world().make_folder("/dev");
        simulation.add_peer(be_manager, std::ref(heard));
        device.emplace(simulation.world(), watchdog_path);
    }
    template <class F>
    int run(F body) {
        const int status = simulation.run<health_limits>(body);
        EXPECT_EQ(simulation.world().open_descriptors(), 3u);
        return status;
    }

    Simulation simulation;
    Heard heard;
    std::optional<WatchdogDevice> device;
};

// Opens both, and runs `body(supervisor, service)` under a supervisor.
template <class F>
Task<void> supervised(F& body, std::chrono::seconds limit = 10s) {
    auto watchdog = co_await Watchdog::open(watchdog_path, {.timeout = limit});
    auto service = co_await Service::open({.socket = manager_name, .watchdog = 6s});
    Supervisor supervisor;
    supervisor.feed(watchdog);
    supervisor.feed(service);
    co_await supervisor.run([&]() { return body(supervisor, service); });
    EXPECT_FALSE(watchdog.is_open());
}

TEST(Supervisor, feeds_while_all_vote_and_disarms_in_the_end) {
    Surroundings world;
    const auto body = [](Supervisor& supervisor, Service& service) -> Task<void> {
        co_await service.ready();
        Event free;
        free.set();
        co_await gather(work(supervisor, 60, free), work(supervisor, 55, free));
        EXPECT_GE(supervisor.fed(), 55u);
    };
    EXPECT_EQ(world.run([&] { return supervised(body); }), 0) << world.simulation.log();
    EXPECT_FALSE(world.device->has_barked());
    EXPECT_FALSE(world.device->is_running());
    EXPECT_EQ(world.heard.ready, 1u);
    EXPECT_GE(world.heard.alive, 55u);
    EXPECT_EQ(world.heard.stopping, 1u);
}

TEST(Supervisor, stops_feeding_and_names_the_task_that_is_stuck_and_its_line) {
    Surroundings world;
    static unsigned alive;
    const auto body = [&](Supervisor& supervisor, Service&) -> Task<void> {
        Event free;
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            group.spawn(work, std::ref(supervisor), 100u, std::ref(free)).named("good");
            group.spawn(work, std::ref(supervisor), 20u, std::ref(free))
                .named("sensor");
            co_await sleep(25s);
            EXPECT_FALSE(supervisor.is_well());
            alive = world.heard.alive;
            EXPECT_FALSE(world.device->has_barked());
            co_await sleep(10s);
            EXPECT_TRUE(world.device->has_barked());
            EXPECT_EQ(world.heard.alive, alive);  // the manager does not hear of it either
            free.set();
        });
    };
    EXPECT_EQ(world.run([&] { return supervised(body); }), 0) << world.simulation.log();
    const std::string_view log = world.simulation.log();
    EXPECT_NE(log.find("health: sensor has not voted for"), log.npos) << log;
    const std::string where =
        "sensor: event.wait at supervisor_test.cpp:" + std::to_string(stuck_at);
    EXPECT_NE(log.find(where), log.npos) << log;
    EXPECT_EQ(log.find("health: good"), log.npos) << log;
}

TEST(Supervisor, feeds_again_if_the_vote_comes_before_the_bark) {
    Surroundings world;
    const auto body = [&](Supervisor& supervisor, Service&) -> Task<void> {
        Event free;
        const auto free_it = [&]() -> Task<void> {
            co_await sleep(27s);
            free.set();
        };
        co_await gather(work(supervisor, 20, free), free_it());
    };
    EXPECT_EQ(world.run([&] { return supervised(body); }), 0) << world.simulation.log();
    EXPECT_FALSE(world.device->has_barked());
    const std::string_view log = world.simulation.log();
    EXPECT_NE(log.find("votes again"), log.npos) << log;
}

TEST(Supervisor, feeds_nothing_if_nobody_votes) {
    Surroundings world;
    const auto body = [&](Supervisor& supervisor, Service&) -> Task<void> {
        co_await sleep(30s);
        EXPECT_EQ(supervisor.fed(), 0u);
    };
    EXPECT_EQ(world.run([&] { return supervised(body); }), 0) << world.simulation.log();
    EXPECT_TRUE(world.device->has_barked());
    EXPECT_NE(world.simulation.log().find("no task votes"), std::string_view::npos);
}

TEST(Supervisor, leaves_the_watchdog_running_if_the_body_fails) {
    Surroundings world;
    const auto body = [](Supervisor& supervisor, Service&) -> Task<void> {
        const Voter vote(supervisor, 10s);
        co_await sleep(5s);
        co_await fail(std::errc::io_error);
    };
    EXPECT_NE(world.run([&] { return supervised(body); }), 0);
    EXPECT_TRUE(world.device->is_running());
    EXPECT_EQ(world.heard.stopping, 1u);
}

// SIGTERM: the manager hears at once, and the watchdog is fed until the last task has unwound.
TEST(Supervisor, disarms_after_a_stop_and_feeds_while_the_body_unwinds) {
    Surroundings world;
    static unsigned told;
    const auto body = [&](Supervisor& supervisor, Service&) -> Task<void> {
        const auto clean_up = [&](Outcome) -> Task<void> {
            co_await sleep(1ms);
            told = world.heard.stopping;
            Voter vote(supervisor, 3s);
            for (int i = 0; i < 7; ++i) {
                co_await sleep(1s);
                vote.alive();
            }
        };
        const auto wait = []() -> Task<void> { co_await sleep(1h); };
        co_await finally(wait(), clean_up);
    };
    testing::World& outside = world.simulation.world();
    outside.call_at(
        later(outside.now(), 1s),
        [](void* context) { static_cast<testing::World*>(context)->raise(SIGTERM); }, &outside);
    world.run([&] { return supervised(body, 3s); });
    EXPECT_EQ(told, 1u);
    EXPECT_EQ(world.heard.stopping, 1u);
    EXPECT_FALSE(world.device->has_barked());
    EXPECT_FALSE(world.device->is_running());
}

// All frames that a run still has, for a shortage of them; each holds the place of the one before.
class TakenFrames {
public:
    TakenFrames() = default;
    TakenFrames(const TakenFrames&) = delete;
    ~TakenFrames() { give_back(); }

    void take_all() {
        FramePool& pool = scheduler().frames();
        for (unsigned i = 0; i < pool.classes(); ++i) {
            const std::size_t bytes = pool.use(i).bytes;
            while (void* const frame = pool.allocate(bytes)) {
                last_ = ::new (frame) Taken{last_, bytes};
            }
        }
    }
    void give_back() {
        while (last_ != nullptr) {
            Taken* const frame = std::exchange(last_, last_->before);
            scheduler().frames().release(frame, frame->bytes);
        }
    }

private:
    struct Taken {
        Taken* before;
        std::size_t bytes;
    };

    Taken* last_ = nullptr;
};

TEST(Supervisor, outlives_a_moment_without_frames) {
    Surroundings world;
    const auto body = [](Supervisor& supervisor, Service&) -> Task<void> {
        const Voter vote(supervisor, 60s);
        co_await sleep(1s);
        TakenFrames frames;
        frames.take_all();
        const std::uint64_t fed = supervisor.fed();
        co_await sleep(2500ms);
        EXPECT_EQ(supervisor.fed(), fed);
        frames.give_back();
        while (supervisor.fed() == fed) co_await sleep(100ms);
    };
    EXPECT_EQ(world.run([&] { return supervised(body); }), 0) << world.simulation.log();
    EXPECT_FALSE(world.device->has_barked());
    EXPECT_FALSE(world.device->is_running());
    EXPECT_NE(world.simulation.log().find("nothing could be fed"), std::string_view::npos);
}

// Each write is a feeding: so the device counts those that came through.
TEST(Supervisor, counts_the_feedings_that_came_through) {
    Surroundings world;
    const auto body = [&](Supervisor& supervisor, Service&) -> Task<void> {
        const Voter vote(supervisor, 60s);
        co_await sleep(3500ms);
        EXPECT_EQ(supervisor.fed(), world.device->feedings());
        const std::uint64_t fed = supervisor.fed();
        world.device->fail_next(EIO, 3);
        co_await sleep(5s);
        EXPECT_EQ(supervisor.fed(), fed + 2);
        EXPECT_EQ(supervisor.fed(), world.device->feedings());
    };
    EXPECT_EQ(world.run([&] { return supervised(body); }), 0) << world.simulation.log();
    EXPECT_FALSE(world.device->has_barked());
}

TEST(Supervisor, feeds_a_watchdog_of_a_second_three_times_in_it) {
    Surroundings world;
    const auto body = [](Supervisor& supervisor, Service&) -> Task<void> {
        const Voter vote(supervisor, 60s);
        co_await sleep(10s);
        EXPECT_GE(supervisor.fed(), 29u);
        EXPECT_LE(supervisor.fed(), 31u);
    };
    EXPECT_EQ(world.run([&] { return supervised(body, 1s); }), 0) << world.simulation.log();
    EXPECT_FALSE(world.device->has_barked());
}

// Its queue is full, and each message to it would wait.
TEST(Supervisor, feeds_the_watchdog_in_time_though_the_manager_is_deaf) {
    Simulation simulation;
    simulation.world().make_folder("/dev");
    WatchdogDevice device(simulation.world(), watchdog_path);
    const auto body = []() -> Task<void> {
        const auto deaf = co_await UnixDatagram::bind(manager_name);
        auto watchdog = co_await Watchdog::open(watchdog_path, {.timeout = 1s});
        auto service = co_await Service::open({.socket = manager_name, .watchdog = 6s});
        Supervisor supervisor;
        supervisor.feed(watchdog);
        supervisor.feed(service);
        const auto fill_and_wait = [&]() -> Task<void> {
            const Voter vote(supervisor, 60s);
            for (;;) {
                const auto told = co_await attempt(timeout(10ms, service.ready()));
                if (!told) break;
            }
            co_await sleep(3s);
        };
        co_await supervisor.run(fill_and_wait);
    };
    EXPECT_EQ(simulation.run<health_limits>(body), 0) << simulation.log();
    EXPECT_FALSE(device.has_barked());
    EXPECT_FALSE(device.is_running());
    EXPECT_NE(simulation.log().find("the service manager cannot be fed"), std::string_view::npos);
}

TEST(Supervisor, works_without_anything_to_feed) {
    Simulation simulation;
    const auto body = []() -> Task<void> {
        Supervisor supervisor({.check_every = 100ms});
        Event free;
        auto working = [&]() { return work(supervisor, 2, free); };
        (void)co_await attempt(timeout(10s, supervisor.run(working)));
        EXPECT_FALSE(supervisor.is_well());
    };
    EXPECT_EQ(simulation.run<health_limits>(body), 0) << simulation.log();
    EXPECT_NE(simulation.log().find("has not voted"), std::string_view::npos);
}

// Of the world that the current run is in. Once it has been opened, the watchdog is disarmed.
Task<void> supervise() {
    testing::world().make_folder("/dev");
    std::optional<WatchdogDevice> device;
    {
        const Unsealed for_the_device;
        device.emplace(testing::world(), watchdog_path);
    }
    Supervisor supervisor;
    const auto vote_twice = [&]() -> Task<void> {
        Voter vote(supervisor, 3s);
        for (int i = 0; i < 2; ++i) {
            co_await sleep(2s);
            vote.alive();
        }
    };
    struct AtEnd {
        explicit AtEnd(WatchdogDevice& it) : device(it) {}
        AtEnd(const AtEnd&) = delete;
        ~AtEnd() { EXPECT_FALSE(device.is_running()); }
        WatchdogDevice& device;
    };
    const AtEnd at_end(*device);
    const auto run = [&](Watchdog& watchdog) -> Task<void> {
        supervisor.feed(watchdog);
        co_await supervisor.run(vote_twice);
    };
    co_await with(Watchdog::open(watchdog_path, {.timeout = 10s}), run);
}

TEST(Supervisor, disarms_wherever_it_is_cancelled) {
    run_cancelled<health_limits>(supervise);
}

TEST(Supervisor, leaves_nothing_behind_wherever_a_fault_hits) {
    run_faulted<health_limits>(supervise);
}

}  // namespace
}  // namespace ringlet::support
