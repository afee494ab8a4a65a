// Fetch's files with a power cut at every operation: each is whole or not there, and there if its
// row says so.
#include <fetch.hpp>

#include <http/fake_server.hpp>

#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/power_cut_exploration.hpp>
#include <ringlet/testing/seeds.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

namespace fetch {
namespace {

using ringlet::Task;
using ringlet::TaskGroup;
using ringlet::support::FakeServer;
using ringlet::support::Peer;
using ringlet::testing::PowerCut;
using ringlet::testing::Simulation;
using ringlet::testing::World;

constexpr ringlet::Limits limits{
    .tasks = 2 * concurrency_max + 40,
    .operations = 64,
    .descriptors = 64,
    .frames = {{128, 256}, {256, 256}, {512, 256}, {1024, 128}, {2048, 64}, {4096, 32}}};

constexpr unsigned pages = 3;
constexpr std::size_t page_bytes = 1500;  // three sectors
constexpr auto page = [] {
    std::array<char, page_bytes> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<char>('a' + i * i % 23);
    return all;
}();
constexpr std::string_view whole_page{page.data(), page.size()};

Task<void> serve(Peer& peer) {
    for (;;) {
        const bool heard = co_await peer.hear();
        if (!heard) co_return;
        co_await peer.answer(whole_page);
    }
}

// Too big for a stack.
std::optional<Fetch> subject;

Task<int> run_fetch(const Settings& settings) {
    struct Reset {
        ~Reset() { subject.reset(); }
    } reset;
    subject.emplace(settings);
    co_return co_await subject->run();
}

Task<int> run_beside_server() {
    auto server = co_await FakeServer::open();
    static std::array<FakeServer::Text, pages> texts;
    static std::array<char*, pages> urls;
    for (unsigned i = 0; i < pages; ++i) {
        char path[16];
        std::snprintf(path, sizeof path, "/%u", i + 1);
        texts[i] = server.url(path);
        urls[i] = texts[i].characters;
    }
    Settings settings;
    settings.jsonl = true;
    settings.concurrency = 2;
    settings.output = "/data/pages";
    settings.urls = urls;
    int status = -1;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn([&](TaskGroup& servers) { return server.serve(servers, serve); },
                          std::ref(group));
        status = co_await run_fetch(settings);
        group.cancel_tasks();
    });
    co_return status;
}

TEST(FetchInAPowerCut, leaves_whole_files_and_those_that_its_rows_name) {
    ringlet::testing::for_each_seed(2, [](std::uint64_t seed) {
        unsigned kept = 0;
        unsigned lost = 0;
        unsigned named = 0;
        const auto check = [&](Simulation& simulation, const PowerCut& cut) {
            World& world = simulation.world();
            for (unsigned i = 1; i <= pages; ++i) {
                char name[32];
                std::snprintf(name, sizeof name, "%06u-%u", i, i);
                const std::string path = std::string("/data/pages/") + name;
                const bool is_named = world.written(1).contains(name);
                const bool is_there = world.exists(path.c_str());
                named += is_named ? 1 : 0;
                (is_there ? kept : lost) += 1;
                EXPECT_TRUE(is_there || !is_named) << text(cut) << ": " << name;
                if (is_there) {
                    EXPECT_EQ(world.file(path.c_str()), whole_page) << text(cut);
                }
            }
        };
        const auto found = ringlet::testing::explore_power_cuts<limits>(
            run_beside_server, check,
            {.world = {.seed = seed,
                       .latency_max = ringlet::Nanoseconds(seed * 300'000),
                       .descriptors = 64,
                       .sockets = 16,
                       .files = 12,
                       .file_bytes = 4_KiB},
             .prepare = [](World& world) { world.make_folder("/data"); },
             .draws = 3});
        std::printf("seed %llu: %u cuts at %u points; files kept %u, lost %u; named by rows %u\n",
                    static_cast<unsigned long long>(seed), found.cuts, found.points, kept, lost,
                    named);
        EXPECT_TRUE(found.is_clean());
        if (!found.whole) return;
        EXPECT_GT(found.points, 20u);
        EXPECT_GT(kept, 0u);
        EXPECT_GT(lost, 0u);
        EXPECT_GT(named, 0u);
    });
}

}  // namespace
}  // namespace fetch
