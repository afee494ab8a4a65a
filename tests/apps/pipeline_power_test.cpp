// The pipeline's file with a power cut at every operation: the old contents or the new ones, whole,
// and the new ones once the pipeline has ended well. After the reboot it can run again.
#include <pipeline.hpp>

#include <apps/model.hpp>

#include <ringlet/testing/gtest.hpp>
#include <ringlet/testing/power_cut_exploration.hpp>
#include <ringlet/testing/seeds.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>

namespace pipeline {
namespace {

using namespace std::chrono_literals;
using ringlet::Task;
using ringlet::testing::PowerCut;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
using ringlet::testing::Survivors;
using ringlet::testing::World;

constexpr ringlet::Limits limits{
    .tasks = workers_max + 12,
    .operations = 16,
    .descriptors = 16,
    .frames = {{128, 128}, {256, 128}, {512, 64}, {1024, 64}, {2048, 16}, {8192, 8}}};

constexpr char input_path[] = "/data/in";
constexpr char output_path[] = "/data/out";
constexpr std::string_view old_output = "old\n";

Settings settings_for_test() {
    Settings settings;
    settings.source = input_path;
    settings.output = output_path;
    settings.jsonl = true;
    settings.window = 1;
    settings.workers = 2;
    return settings;
}

SimulationOptions options_for(std::uint64_t seed) {
    return {.seed = seed,
            .latency_max = seed == 0 ? 0us : 300us,
            .short_transfers = seed != 0,
            .descriptors = 32,
            .pipes = 1,
            .sockets = 4,
            .files = 8,
            .file_bytes = 128_KiB,
            .input_bytes = 1_KiB,
            .output_bytes = 32_KiB};
}

// Too big for a stack.
std::optional<Pipeline> subject;
bool ended_well;

Task<int> run_pipeline() {
    struct Reset {
        ~Reset() { subject.reset(); }
    } reset;
    ended_well = false;
    subject.emplace(settings_for_test());
    const int status = co_await subject->run();
    ended_well = status == 0;
    co_return status;
}

std::string contents(const World& world) {
    return world.exists(output_path) ? std::string(world.file(output_path)) : "(missing)";
}

// With more rows than the memory for them holds, so that there are several writes.
void explore(std::uint64_t seed, bool has_old) {
    const auto items = model::items(500, 4, 1);
    std::string input;
    for (const model::Item& item : items)
        input += model::line(item);
    const std::string whole = model::rows(model::windows(items, 1).complete);
    const std::string before = has_old ? std::string(old_output) : "(missing)";

    unsigned old_left = 0;
    unsigned new_left = 0;
    const auto check = [&](Simulation& simulation, const PowerCut& cut) {
        const std::string left = contents(simulation.world());
        EXPECT_TRUE(left == whole || (left == before && !ended_well))
            << text(cut) << ": " << left.size() << " bytes of " << whole.size()
            << (ended_well ? ", though it had ended well" : "");
        (left == whole ? new_left : old_left) += 1;
        if (cut.loss.survivors != Survivors::non_journalled || cut.loss.seed != 0) return;
        EXPECT_EQ(simulation.run<limits>(run_pipeline), 0) << text(cut);
        simulation.world().cut_power({Survivors::synced});
        EXPECT_EQ(contents(simulation.world()), whole) << text(cut);
    };
    const auto prepare = [&](World& world) {
        world.make_folder("/data");
        world.write_file(input_path, input);
        if (has_old) world.write_file(output_path, old_output);
    };
    const auto found = ringlet::testing::explore_power_cuts<limits>(
        run_pipeline, check, {.world = options_for(seed), .prepare = prepare, .draws = 3});
    std::printf("seed %llu: %u cuts at %u points; %s %u times, the new output %u times\n",
                static_cast<unsigned long long>(seed), found.cuts, found.points,
                has_old ? "the old output" : "none", old_left, new_left);
    EXPECT_TRUE(found.is_clean());
    if (!found.whole) return;
    EXPECT_GE(found.points,
              11u);  // status, 2 opens, 2 reads, 2 writes, sync, open, rename, sync; end
    EXPECT_GT(old_left, 0u);
    EXPECT_GT(new_left, 0u);
}

TEST(PipelineInAPowerCut, leaves_the_old_file_or_the_new_one_whole) {
    ringlet::testing::for_each_seed(2, [](std::uint64_t seed) { explore(seed, true); });
}

TEST(PipelineInAPowerCut, leaves_no_file_or_a_whole_one_where_there_was_none) {
    ringlet::testing::for_each_seed(2, [](std::uint64_t seed) { explore(seed, false); });
}

}  // namespace
}  // namespace pipeline
