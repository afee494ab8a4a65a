// What a power cut leaves: the rules of each model; programs that promise too much are found; and
// AtomicFile keeps its word with a cut at every operation.
#include <io/io_cases.hpp>

#include <ringlet/io/atomic_file.hpp>
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/power_cut_exploration.hpp>
#include <ringlet/testing/seeds.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

using namespace ringlet;
using namespace ringlet::support;
using ringlet::testing::all_survivors;
using ringlet::testing::explore_power_cuts;
using ringlet::testing::FileTree;
using ringlet::testing::PowerCut;
using ringlet::testing::PowerCutExploration;
using ringlet::testing::PowerCutOptions;
using ringlet::testing::PowerLoss;
using ringlet::testing::sector_bytes;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
using ringlet::testing::Survivors;
using ringlet::testing::World;

namespace {

constexpr unsigned draws = 200;  // enough that each of a few outcomes comes
unsigned draws_of(Survivors survivors) {
    const bool draws_any = survivors != Survivors::synced && survivors != Survivors::all;
    return draws_any ? draws : 1;
}

constexpr char missing[] = "(missing)";

std::string contents(const World& world, const char* path) {
    return world.exists(path) ? std::string(world.file(path)) : missing;
}

using Program = Task<void> (*)();

// Of which many can be made.
const SimulationOptions small_world{.descriptors = 16,
                                    .pipes = 1,
                                    .sockets = 1,
                                    .datagram_sockets = 1,
                                    .datagrams = 1,
                                    .terminals = 1,
                                    .files = 12,
                                    .file_bytes = 4096,
                                    .input_bytes = 4096,
                                    .output_bytes = 4096};

// A program runs in a world that has the folder /d with the file /d/old, "old"; then the power
// fails, and `look` says what it sees.
template <class Look>
auto all_that_can_be_left(Program program, Survivors survivors, Look look) {
    std::set<decltype(look(std::declval<World&>()))> seen;
    for (unsigned seed = 0; seed < draws_of(survivors); ++seed) {
        Simulation simulation(small_world);
        World& world = simulation.world();
        world.make_folder("/d");
        world.write_file("/d/old", "old");
        EXPECT_EQ(simulation.run<case_limits>(program), 0) << simulation.log();
        world.cut_power({survivors, seed});
        seen.insert(look(world));
    }
    return seen;
}

using Seen = std::set<std::string>;

Task<void> put(const char* path, std::string_view text, bool synced = false) {
    File file = co_await File::open(path, OpenMode::replace);
    co_await file.write_all(bytes_of(text));
    if (synced) co_await file.sync();
    co_await file.close();
}

}  // namespace

// ---- what survives

TEST(PowerCuts, spare_what_was_synced_in_every_model) {
    const Program program = []() -> Task<void> {
        co_await make_folder("/d/inner");
        co_await sync_folder("/d");
        co_await put("/d/inner/new", "whole", true);
        co_await sync_folder("/d/inner");
        co_await put("/d/old", "newer", true);
        co_await rename_file("/d/old", "/d/renamed");
        co_await sync_folder("/d");
    };
    for (const Survivors survivors : all_survivors) {
        const auto seen = all_that_can_be_left(program, survivors, [](World& world) {
            return contents(world, "/d/inner/new") + " " + contents(world, "/d/old") + " " +
                   contents(world, "/d/renamed");
        });
        EXPECT_EQ(seen, Seen{"whole (missing) newer"}) << text(survivors);
    }
}

TEST(PowerCuts, spare_what_a_test_put_there) {
    for (const Survivors survivors : all_survivors) {
        const auto seen =
            all_that_can_be_left([]() -> Task<void> { co_return; }, survivors,
                                 [](World& world) { return contents(world, "/d/old"); });
        EXPECT_EQ(seen, Seen{"old"});
    }
}

TEST(PowerCuts, that_lose_all_unsynced_leave_no_new_name_though_the_file_was_synced) {
    const Program program = []() -> Task<void> { co_await put("/d/new", "synced", true); };
    const auto look = [](World& world) { return contents(world, "/d/new"); };
    EXPECT_EQ(all_that_can_be_left(program, Survivors::synced, look), Seen{missing});
    EXPECT_EQ(all_that_can_be_left(program, Survivors::all, look), Seen{"synced"});
    const Seen either{missing, "synced"};
    EXPECT_EQ(all_that_can_be_left(program, Survivors::journalled, look), either);
    EXPECT_EQ(all_that_can_be_left(program, Survivors::non_journalled, look), either);
}

TEST(PowerCuts, lose_a_file_whose_folder_was_not_synced) {
    const Program program = []() -> Task<void> {
        co_await make_folder("/d/inner");
        co_await put("/d/inner/new", "synced", true);
        co_await sync_folder("/d/inner");  // but not /d
    };
    const auto look = [](World& world) { return contents(world, "/d/inner/new"); };
    EXPECT_EQ(all_that_can_be_left(program, Survivors::synced, look), Seen{missing});
    // A journal kept the older change, too.
    EXPECT_EQ(all_that_can_be_left(program, Survivors::journalled, look), Seen{"synced"});
    EXPECT_EQ(all_that_can_be_left(program, Survivors::non_journalled, look),
              (Seen{missing, "synced"}));
}

TEST(PowerCuts, keep_the_order_of_names_only_with_a_journal) {
    const Program program = []() -> Task<void> {
        for (const char* path : {"/d/1", "/d/2", "/d/3"})
            co_await put(path, "", true);
        co_await remove_file("/d/old");
    };
    const auto look = [](World& world) {
        std::string there;
        for (const char* path : {"/d/1", "/d/2", "/d/3", "/d/old"}) {
            there += world.exists(path) ? '+' : '-';
        }
        return there;
    };
    EXPECT_EQ(all_that_can_be_left(program, Survivors::journalled, look),
              (Seen{"---+", "+--+", "++-+", "++++", "+++-"}));
    EXPECT_EQ(all_that_can_be_left(program, Survivors::non_journalled, look).size(), 16u);
}

TEST(PowerCuts, halve_a_rename_only_without_a_journal) {
    const Program program = []() -> Task<void> { co_await rename_file("/d/old", "/d/new"); };
    const auto look = [](World& world) {
        return contents(world, "/d/old") + " " + contents(world, "/d/new");
    };
    const Seen whole{"old (missing)", "(missing) old"};
    EXPECT_EQ(all_that_can_be_left(program, Survivors::journalled, look), whole);
    Seen halves = whole;
    halves.insert({"old old", "(missing) (missing)"});
    EXPECT_EQ(all_that_can_be_left(program, Survivors::non_journalled, look), halves);
}

TEST(PowerCuts, make_two_files_of_one_that_has_two_names) {
    Simulation simulation;
    World& world = simulation.world();
    world.write_file("/a", "x");
    for (unsigned seed = 0; !world.exists("/a") || !world.exists("/b"); ++seed) {
        ASSERT_LT(seed, draws);
        world.restore_power();
        world.write_file("/a", "x");
        EXPECT_EQ(
            simulation.run<case_limits>([]() -> Task<void> { co_await rename_file("/a", "/b"); }),
            0);
        world.cut_power({Survivors::non_journalled, seed});
    }
    world.restore_power();
    world.write_file("/b", "changed");
    EXPECT_EQ(world.file("/a"), "x");
}

TEST(PowerCuts, show_old_names_of_files_that_are_gone) {
    const Program program = []() -> Task<void> {
        co_await remove_file("/d/old");
        for (int i = 0; i < 100; ++i) {  // its node must not be another's now
            co_await put("/d/new", "new", true);
            co_await remove_file("/d/new");
        }
    };
    const auto look = [](World& world) { return contents(world, "/d/old"); };
    EXPECT_EQ(all_that_can_be_left(program, Survivors::all, look), Seen{missing});
    // More changes than are kept apart: the oldest were written back.
    EXPECT_EQ(all_that_can_be_left(program, Survivors::synced, look), Seen{missing});
    const Program short_program = []() -> Task<void> {
        co_await remove_file("/d/old");
        co_await put("/d/new", "new", true);
    };
    EXPECT_EQ(all_that_can_be_left(short_program, Survivors::synced, look), Seen{"old"});
}

// ---- contents

namespace {

constexpr std::size_t long_bytes = 4 * sector_bytes;

// Of each sector: 'o' old, 'n' new, '0' zeros, '?' a mixture; a sector that is cut short is named
// once more, as a lower part.
std::string sectors_of(std::string_view text) {
    std::string all;
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), sector_bytes))) {
        const auto sector = text.substr(0, sector_bytes);
        const bool uniform = sector.find_first_not_of(sector[0]) == sector.npos;
        all += !uniform ? '?' : sector[0] == '\0' ? '0' : sector[0];
    }
    return all;
}

// Over the four sectors of /d/long, which are old.
Seen left_of_long(Program program, Survivors survivors) {
    std::set<std::string> seen;
    for (unsigned seed = 0; seed < draws_of(survivors); ++seed) {
        Simulation simulation(small_world);
        World& world = simulation.world();
        world.make_folder("/d");
        world.write_file("/d/long", std::string(long_bytes, 'o'));
        EXPECT_EQ(simulation.run<case_limits>(program), 0) << simulation.log();
        world.cut_power({survivors, seed});
        seen.insert(sectors_of(contents(world, "/d/long")));
    }
    return seen;
}

constexpr auto new_bytes = [] {
    std::array<char, long_bytes> all{};
    all.fill('n');
    return all;
}();

}  // namespace

TEST(PowerCuts, tear_what_was_overwritten_into_sectors) {
    const Program program = []() -> Task<void> {
        File file = co_await File::open("/d/long", OpenMode::write);
        co_await file.write_all_at(sector_bytes, bytes_of({new_bytes.data(), 2 * sector_bytes}));
        co_await file.close();
    };
    EXPECT_EQ(left_of_long(program, Survivors::synced), Seen{"oooo"});
    EXPECT_EQ(left_of_long(program, Survivors::all), Seen{"onno"});
    const Seen each{"oooo", "onoo", "oono", "onno"};
    EXPECT_EQ(left_of_long(program, Survivors::journalled), each);
    EXPECT_EQ(left_of_long(program, Survivors::non_journalled), each);
}

TEST(PowerCuts, leave_of_what_was_appended_a_part_or_without_a_journal_zeros) {
    const Program program = []() -> Task<void> {
        File file = co_await File::open("/d/long", OpenMode::write | OpenMode::append);
        co_await file.write_all(bytes_of({new_bytes.data(), 2 * sector_bytes}));
        co_await file.close();
    };
    EXPECT_EQ(left_of_long(program, Survivors::synced), Seen{"oooo"});
    EXPECT_EQ(left_of_long(program, Survivors::all), Seen{"oooonn"});
    EXPECT_EQ(left_of_long(program, Survivors::journalled), (Seen{"oooo", "oooon", "oooonn"}));
    EXPECT_EQ(left_of_long(program, Survivors::non_journalled),
              (Seen{"oooo", "oooon", "oooo0", "oooonn", "oooo0n", "oooon0", "oooo00"}));
}

TEST(PowerCuts, mix_old_and_new_of_a_file_that_was_emptied_only_without_a_journal) {
    const Program program = []() -> Task<void> {
        co_await put("/d/long", {new_bytes.data(), 2 * sector_bytes});
    };
    EXPECT_EQ(left_of_long(program, Survivors::synced), Seen{"oooo"});
    EXPECT_EQ(left_of_long(program, Survivors::all), Seen{"nn"});
    EXPECT_EQ(left_of_long(program, Survivors::journalled), (Seen{"oooo", "", "n", "nn"}));
    const auto mixed = left_of_long(program, Survivors::non_journalled);
    EXPECT_TRUE(mixed.contains("nnoo"));
    EXPECT_TRUE(mixed.contains("on"));
    EXPECT_TRUE(mixed.contains(""));
}

TEST(PowerCuts, spare_data_that_sync_data_synced_but_maybe_not_the_permissions) {
    const Program program = []() -> Task<void> {
        File file = co_await File::open("/d/long", OpenMode::replace);
        co_await file.write_all(bytes_of({new_bytes.data(), sector_bytes}));
        co_await scheduler().system().set_permissions(file.descriptor(), 0600);
        co_await file.sync_data();
        co_await file.close();
    };
    for (const Survivors survivors : all_survivors) {
        EXPECT_EQ(left_of_long(program, survivors), Seen{"n"}) << text(survivors);
    }
    const auto permissions = [](World& world) {
        const int node = world.files().find(FileTree::root, "/d/old");
        return world.files()[node].mode & 07777;
    };
    const auto program_with = [](bool data_only) -> Program {
        if (data_only) {
            return []() -> Task<void> {
                File file = co_await File::open("/d/old", OpenMode::write);
                co_await scheduler().system().set_permissions(file.descriptor(), 0600);
                co_await file.sync_data();
                co_await file.close();
            };
        }
        return []() -> Task<void> {
            File file = co_await File::open("/d/old", OpenMode::write);
            co_await scheduler().system().set_permissions(file.descriptor(), 0600);
            co_await file.sync();
            co_await file.close();
        };
    };
    using Modes = std::set<mode_t>;
    EXPECT_EQ(all_that_can_be_left(program_with(true), Survivors::synced, permissions),
              Modes{0644});
    EXPECT_EQ(all_that_can_be_left(program_with(true), Survivors::journalled, permissions),
              (Modes{0600, 0644}));
    EXPECT_EQ(all_that_can_be_left(program_with(false), Survivors::journalled, permissions),
              Modes{0600});
}

TEST(PowerCuts, spare_what_was_written_to_a_file_that_syncs_each_write) {
    const Program program = []() -> Task<void> {
        File file = co_await File::open("/d/long", static_cast<OpenMode>(O_WRONLY | O_DSYNC));
        co_await file.write_all_at(0, bytes_of({new_bytes.data(), sector_bytes}));
        co_await file.close();
    };
    for (const Survivors survivors : all_survivors) {
        EXPECT_EQ(left_of_long(program, survivors), Seen{"nooo"}) << text(survivors);
    }
}

// ---- the world

TEST(PowerCuts, stop_the_program_and_let_nothing_more_reach_the_disk) {
    static unsigned failed;
    failed = 0;
    Simulation simulation;
    World& world = simulation.world();
    world.write_file("/a", "old");
    world.cut_power_before(2);  // opening comes first
    const int status = simulation.run<case_limits>([]() -> Task<void> {
        co_await shield([]() -> Task<void> {
            File file = co_await File::open("/a", OpenMode::write);
            const auto written = co_await attempt(file.write_all(bytes_of("new")));
            const auto synced = co_await attempt(file.sync());
            const auto moved = co_await attempt(rename_file("/a", "/b"));
            const auto mode = scheduler().system().set_permissions(file.descriptor(), 0);
            for (const Result<void>* each : {&written, &synced, &moved, &mode}) {
                failed += !*each && each->error() == std::errc::io_error ? 1 : 0;
            }
        }());
        co_await sleep(std::chrono::hours(1));
    });
    EXPECT_EQ(status, 128 + SIGTERM);
    EXPECT_EQ(failed, 4u);
    EXPECT_FALSE(world.has_power());
    EXPECT_EQ(world.disk_operations(), 2u);
    EXPECT_EQ(contents(world, "/a"), "old");
    EXPECT_FALSE(world.exists("/b"));
    EXPECT_EQ(world.open_descriptors(), 3u);
}

TEST(PowerCuts, may_come_while_the_program_is_being_stopped) {
    Simulation simulation;
    World& world = simulation.world();
    world.write_file("/a", "old");
    world.cut_power_before(1);
    EXPECT_EQ(simulation.run<case_limits>(
                  [](World& its) -> Task<void> {
                      co_await shield([](World& outside) -> Task<void> {
                          outside.raise(SIGTERM);
                          co_await sleep(std::chrono::seconds(1));
                          const auto written =
                              co_await attempt(write_atomic("/a", bytes_of("new")));
                          EXPECT_FALSE(written);
                      }(its));
                  },
                  std::ref(world)),
              128 + SIGTERM);
    EXPECT_FALSE(world.has_power());
    EXPECT_EQ(contents(world, "/a"), "old");
}

TEST(PowerCuts, come_at_a_point_of_time_too_and_the_next_run_is_the_reboot) {
    Simulation simulation;
    World& world = simulation.world();
    world.call_at(
        later(world.now(), std::chrono::seconds(5)),
        [](void* context) { static_cast<World*>(context)->cut_power({Survivors::synced}); },
        &world);
    static constexpr auto app = []() -> Task<void> {
        for (;;) {
            co_await write_atomic("/log", bytes_of("x"));
            co_await sleep(std::chrono::seconds(2));
        }
    };
    EXPECT_EQ(simulation.run<case_limits>(app), 128 + SIGTERM);
    EXPECT_EQ(contents(world, "/log"), "x");
    EXPECT_EQ(simulation.run<case_limits>(
                  []() -> Task<void> { co_await write_atomic("/log", bytes_of("after")); }),
              0);
    world.cut_power({Survivors::synced});
    EXPECT_EQ(contents(world, "/log"), "after");
}

TEST(PowerCuts, leave_the_same_with_the_same_seed) {
    const Program program = []() -> Task<void> {
        co_await put("/d/a", {new_bytes.data(), long_bytes});
        co_await rename_file("/d/a", "/d/old");
        co_await put("/d/b", {new_bytes.data(), long_bytes});
    };
    const auto left = [&](std::uint64_t world_seed, std::uint64_t seed) {
        Simulation simulation({.seed = world_seed});
        World& world = simulation.world();
        world.make_folder("/d");
        world.write_file("/d/old", "old");
        EXPECT_EQ(simulation.run<case_limits>(program), 0);
        world.cut_power({Survivors::non_journalled, seed});
        return contents(world, "/d/a") + contents(world, "/d/old") + contents(world, "/d/b");
    };
    Seen by_draw;
    Seen by_world;
    for (unsigned seed = 0; seed < 20; ++seed) {
        EXPECT_EQ(left(1, seed), left(1, seed));
        by_draw.insert(left(1, seed));
        by_world.insert(left(seed, 1));
    }
    EXPECT_GT(by_draw.size(), 5u);
    EXPECT_GT(by_world.size(), 5u);
}

TEST(PowerCuts, need_no_more_nodes_than_there_are) {
    Simulation simulation({.files = 4});
    EXPECT_EQ(simulation.run<case_limits>([]() -> Task<void> {
        for (int i = 0; i < 500; ++i) {
            co_await put("/a", "x");
            co_await put("/b", "y");
            co_await rename_file("/a", "/b");
            co_await remove_file("/b");
        }
    }),
              0)
        << simulation.log();
}

// ---- programs

namespace {

constexpr char path[] = "/etc/config";
constexpr std::string_view old_text = "the old contents";
constexpr auto new_text = [] {
    std::array<char, 1300> all{};  // in three sectors
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = static_cast<char>('A' + i % 23);
    return all;
}();
constexpr std::string_view new_view{new_text.data(), new_text.size()};

bool promised;

void prepare(World& world) {
    world.make_folder("/etc");
    world.write_file(path, old_text);
}

using Replace = Task<void> (*)();

struct Verdict {
    PowerCutExploration found;
    unsigned old_left = 0;
    unsigned new_left = 0;
    unsigned bad = 0;               // neither, or no file
    unsigned unkept = 0;            // promised, and not there
    std::set<Survivors> faults_in;  // in which models
};

// Runs a program that replaces the file, with a cut at every operation.
Verdict judge(Replace replace, const SimulationOptions& world = small_world) {
    Verdict verdict;
    const auto scenario = [replace]() -> Task<void> {
        promised = false;
        co_await replace();
        promised = true;
    };
    const auto check = [&](Simulation& simulation, const PowerCut& cut) {
        const std::string left = contents(simulation.world(), path);
        verdict.old_left += left == old_text ? 1 : 0;
        verdict.new_left += left == new_view ? 1 : 0;
        const bool bad = left != old_text && left != new_view;
        const bool unkept = promised && left != new_view;
        verdict.bad += bad ? 1 : 0;
        verdict.unkept += unkept ? 1 : 0;
        if (bad || unkept) verdict.faults_in.insert(cut.loss.survivors);
    };
    verdict.found = explore_power_cuts<case_limits>(
        scenario, check, {.world = world, .prepare = prepare, .draws = 8});
    EXPECT_TRUE(verdict.found.is_clean());
    std::printf("%u cuts at %u points: old %u, new %u, neither %u; promises broken: %u\n",
                verdict.found.cuts, verdict.found.points, verdict.old_left, verdict.new_left,
                verdict.bad, verdict.unkept);
    return verdict;
}

// What AtomicFile does, with a step left out.
struct Steps {
    bool sync_file = true;
    bool sync_folder = true;
};
Task<void> replace_by(Steps steps) {
    co_await put("/etc/config.tmp", new_view, steps.sync_file);
    co_await rename_file("/etc/config.tmp", path);
    if (steps.sync_folder) co_await sync_folder("/etc");
}

}  // namespace

TEST(PowerCuts, at_every_operation_leave_write_atomic_old_or_new_and_its_promise_kept) {
    ringlet::testing::for_each_seed(4, [](std::uint64_t seed) {
        SimulationOptions world = small_world;
        world.seed = seed;
        world.latency_max = Nanoseconds(seed * 100'000);
        world.short_transfers = seed > 1;
        const auto verdict =
            judge([]() -> Task<void> { co_await write_atomic(path, bytes_of(new_view)); }, world);
        EXPECT_EQ(verdict.bad + verdict.unkept, 0u);
        if (!verdict.found.whole) return;
        EXPECT_GE(verdict.found.points, 8u);  // status, open, write, sync, open, rename, sync; end
        EXPECT_GT(verdict.old_left, 0u);
        EXPECT_GT(verdict.new_left, 0u);
    });
}

TEST(PowerCuts, at_every_operation_leave_a_file_that_was_written_in_parts_old_or_new) {
    const auto verdict = judge([]() -> Task<void> {
        co_await with(AtomicFile::open(path), [](AtomicFile& file) -> Task<void> {
            for (std::size_t at = 0; at < new_view.size(); at += 100) {
                co_await file.write_all(bytes_of(new_view.substr(at, 100)));
            }
            co_await file.commit();
        });
    });
    EXPECT_EQ(verdict.bad + verdict.unkept, 0u);
    EXPECT_GT(verdict.found.points, 13u);
}

TEST(PowerCuts, at_every_operation_leave_a_new_file_whole_or_none) {
    unsigned none = 0;
    unsigned whole = 0;
    const auto found = explore_power_cuts<case_limits>(
        []() -> Task<void> {
            promised = false;
            co_await write_atomic("/etc/fresh", bytes_of(new_view));
            promised = true;
        },
        [&](Simulation& simulation, const PowerCut& cut) {
            const std::string left = contents(simulation.world(), "/etc/fresh");
            EXPECT_TRUE(left == new_view || (left == missing && !promised)) << text(cut);
            (left == missing ? none : whole) += 1;
            EXPECT_EQ(contents(simulation.world(), path), old_text);
        },
        {.world = small_world, .prepare = prepare});
    EXPECT_TRUE(found.is_clean());
    EXPECT_GT(none, 0u);
    EXPECT_GT(whole, 0u);
    std::printf("%u cuts at %u points: none %u, whole %u\n", found.cuts, found.points, none, whole);
}

// A temporary may stay; it must not be in the way.
TEST(PowerCuts, at_every_operation_let_the_file_be_written_after_the_reboot) {
    unsigned temporaries = 0;
    const auto found = explore_power_cuts<case_limits>(
        []() -> Task<void> { co_await write_atomic(path, bytes_of(new_view)); },
        [&](Simulation& simulation, const PowerCut& cut) {
            World& world = simulation.world();
            for (unsigned i = 0; i < world.options().files; ++i) {
                const auto& node = world.files()[static_cast<int>(i)];
                temporaries += node.linked && node.text().ends_with(".tmp") ? 1 : 0;
            }
            EXPECT_EQ(simulation.run<case_limits>(
                          []() -> Task<void> { co_await write_atomic(path, bytes_of("third")); }),
                      0)
                << text(cut);
            world.cut_power({Survivors::synced});
            EXPECT_EQ(contents(world, path), "third") << text(cut);
        },
        {.world = small_world, .prepare = prepare});
    EXPECT_TRUE(found.is_clean());
    EXPECT_GT(temporaries, 0u);
}

TEST(PowerCuts, find_a_program_that_overwrites_in_place) {
    const auto verdict = judge([]() -> Task<void> { co_await put(path, new_view, true); });
    EXPECT_GT(verdict.bad, 0u);
    EXPECT_EQ(verdict.unkept, 0u);
}

TEST(PowerCuts, find_a_rename_without_a_sync_of_the_file) {
    const auto verdict = judge([]() -> Task<void> { co_await replace_by({.sync_file = false}); });
    EXPECT_GT(verdict.bad, 0u);
    EXPECT_TRUE(verdict.faults_in.contains(Survivors::journalled));
    EXPECT_TRUE(verdict.faults_in.contains(Survivors::non_journalled));
}

TEST(PowerCuts, find_a_promise_without_a_sync_of_the_folder) {
    const auto verdict = judge([]() -> Task<void> { co_await replace_by({.sync_folder = false}); });
    EXPECT_EQ(verdict.bad, 0u);  // old or new it is, but
    EXPECT_GT(verdict.unkept, 0u);
    EXPECT_TRUE(verdict.faults_in.contains(Survivors::journalled));
    EXPECT_TRUE(verdict.faults_in.contains(Survivors::non_journalled));
}

TEST(PowerCuts, find_nothing_where_both_are_synced) {
    const auto verdict = judge([]() -> Task<void> { co_await replace_by({}); });
    EXPECT_EQ(verdict.bad + verdict.unkept, 0u);
}

TEST(PowerCuts, find_a_file_that_is_removed_before_it_is_replaced) {
    const auto verdict = judge([]() -> Task<void> {
        co_await put("/etc/config.tmp", new_view, true);
        co_await remove_file(path);
        co_await rename_file("/etc/config.tmp", path);
        co_await sync_folder("/etc");
    });
    EXPECT_GT(verdict.bad, 0u);
}

// ---- what the exploration itself notices

namespace {

// Of the failures that an exploration reports.
template <class Explore>
unsigned failures_of(Explore explore) {
    return ringlet::testing::set_failures_aside(explore);
}

const auto look_at_nothing = [](Simulation&, const PowerCut&) {};
const PowerCutOptions few{.world = small_world, .draws = 1};

}  // namespace

TEST(PowerCutExploration, notices_a_scenario_that_differs_from_run_to_run) {
    static unsigned runs;
    runs = 0;
    PowerCutExploration found;
    const unsigned failures = failures_of([&] {
        found = explore_power_cuts<case_limits>(
            []() -> Task<void> {
                if (runs++ == 0) co_await put("/a", "x", true);
            },
            look_at_nothing);
    });
    EXPECT_EQ(found.points, 4u);
    EXPECT_EQ(found.cuts, 4 * 10u);
    EXPECT_EQ(found.missed, 3 * 10u);
    EXPECT_EQ(found.failed, 3 * 10u);
    EXPECT_EQ(failures, 3u);  // the others are only counted
    EXPECT_FALSE(found.is_clean());
}

TEST(PowerCutExploration, notices_a_scenario_that_fails_or_uses_no_disk) {
    PowerCutExploration found;
    EXPECT_EQ(failures_of([&] {
                  found = explore_power_cuts<case_limits>(
                      []() -> Task<void> { co_await put("/no/a", "x"); }, look_at_nothing, few);
              }),
              1u);
    EXPECT_EQ(found.undisturbed_failures, 1u);
    EXPECT_FALSE(found.is_clean());
    found =
        explore_power_cuts<case_limits>([]() -> Task<int> { co_return 0; }, look_at_nothing, few);
    EXPECT_EQ(found.points, 1u);
    EXPECT_EQ(found.failed, 0u);
    EXPECT_FALSE(found.is_clean());
}

TEST(PowerCutExploration, notices_a_descriptor_that_is_left_open) {
    PowerCutExploration found;
    EXPECT_EQ(failures_of([&] {
                  found = explore_power_cuts<case_limits>(
                      []() -> Task<void> {
                          const auto opened = co_await attempt(File::open("/a", OpenMode::replace));
                          const auto left =
                              opened ? Result<std::array<int, 2>>() : scheduler().system().pipe();
                          EXPECT_TRUE(left);
                      },
                      look_at_nothing, few);
              }),
              3u);
    EXPECT_EQ(found.points, 2u);
    EXPECT_EQ(found.leaked, 4u);
    EXPECT_EQ(found.failed, 4u);
}

TEST(PowerCutExploration, counts_what_the_check_finds) {
    PowerCutExploration found;
    unsigned there = 0;
    EXPECT_EQ(failures_of([&] {
                  found = explore_power_cuts<case_limits>(
                      []() -> Task<void> { co_await put("/a", "x", true); },
                      [&](Simulation& simulation, const PowerCut&) {
                          const bool is_there = simulation.world().exists("/a");
                          there += is_there ? 1 : 0;
                          return !is_there;
                      },
                      few);
              }),
              3u);
    EXPECT_GT(found.failed, 3u);
    EXPECT_EQ(found.failed, there);
    EXPECT_LT(found.failed, found.cuts);
    EXPECT_FALSE(found.is_clean());
}

TEST(PowerCutExploration, replays_one_cut_by_its_number) {
    const auto scenario = []() -> Task<void> { co_await put("/a", "x", true); };
    std::vector<std::string> all;
    const auto note = [&](Simulation&, const PowerCut& cut) { all.push_back(text(cut)); };
    const auto whole = explore_power_cuts<case_limits>(scenario, note);
    ASSERT_EQ(all.size(), whole.cuts);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
    EXPECT_EQ(all[0], "after the end, survivors: only what was synced, draw 0");
    EXPECT_EQ(all[25], "before operation 2, survivors: journalled, draw 3");
    ::setenv("RINGLET_CUT", "26", 1);
    const auto alone = explore_power_cuts<case_limits>(scenario, note);
    ::unsetenv("RINGLET_CUT");
    EXPECT_EQ(alone.cuts, 1u);
    EXPECT_FALSE(alone.whole);
    EXPECT_TRUE(alone.is_clean());
    EXPECT_EQ(all.back(), all[25]);
}
