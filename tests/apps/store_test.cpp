// The store: what it keeps, under faults, cancellations and power cuts at every operation.
#include <store.hpp>

#include <support/cases.hpp>

#include <ringlet/testing/power_cut_exploration.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>

namespace station {
namespace {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Task;
using ringlet::support::Unsealed;
using ringlet::testing::Simulation;
using ringlet::testing::SimulationOptions;
using ringlet::testing::World;

constexpr ringlet::Limits limits{
    .tasks = 8, .operations = 8, .descriptors = 8, .frames = {{256, 32}, {512, 32}, {1024, 16}}};

constexpr const char* path = "/var/store";
constexpr std::uint32_t slots = 4;

// Of different lengths, and long enough for several sectors of a disk.
std::string batch(std::uint64_t sequence) {
    std::string text = "batch " + std::to_string(sequence) + " ";
    const auto length = static_cast<std::size_t>(sequence % 5) * 700;
    return text + std::string(length, static_cast<char>('a' + sequence % 26));
}

void run(Simulation& simulation, Task<void> (*body)()) {
    EXPECT_EQ(simulation.run<limits>(body), 0) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

struct InWorld {
    Simulation simulation{SimulationOptions{}};
    InWorld() { simulation.world().make_folder("/var"); }
    void run(Task<void> (*body)()) { station::run(simulation, body); }
};

// A store in static memory: it is too big for a frame.
struct Opened {
    static inline std::optional<Store> store;
    Opened() { store.emplace(); }
    Opened(const Opened&) = delete;
    ~Opened() { store.reset(); }
};

Task<void> append(Store& store, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        std::string text;
        {
            const Unsealed for_the_text;
            text = batch(store.next_sequence());
        }
        co_await store.append(text);
        const Unsealed for_the_text;
        text = {};
    }
}

Task<void> expect_batch(Store& store, std::uint64_t sequence) {
    static std::array<std::byte, Store::slot_bytes> room;
    const auto text = co_await store.read(sequence, room);
    const Unsealed for_the_text;
    EXPECT_TRUE(text && *text == batch(sequence)) << sequence;
}

Task<void> keep_three_and_send_one() {
    const Opened open_for_now;
    Store& store = *Opened::store;
    co_await store.open(path, slots);
    EXPECT_EQ(store.next_sequence(), 1u);
    EXPECT_FALSE(store.oldest());
    co_await append(store, 3);
    EXPECT_EQ(store.oldest(), 1u);
    EXPECT_EQ(store.waiting(), 3u);
    co_await store.mark_sent(1);
    EXPECT_EQ(store.oldest(), 2u);
}

Task<void> find_two() {
    const Opened open_for_now;
    Store& store = *Opened::store;
    co_await store.open(path, slots);
    EXPECT_EQ(store.next_sequence(), 4u);
    EXPECT_EQ(store.oldest(), 2u);
    EXPECT_EQ(store.waiting(), 2u);
    co_await expect_batch(store, 2);
    co_await expect_batch(store, 3);
    co_await store.mark_sent(2);
    co_await store.mark_sent(3);
    EXPECT_FALSE(store.oldest());
}

TEST(Store, keeps_what_is_not_sent_from_one_start_to_the_next) {
    InWorld world;
    world.run(keep_three_and_send_one);
    world.run(find_two);
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        co_await store.open(path, slots);
        EXPECT_EQ(store.next_sequence(), 4u) << "numbers are never used again";
        EXPECT_FALSE(store.oldest());
    });
}

TEST(Store, gives_up_the_oldest_when_it_is_full_and_never_grows) {
    InWorld world;
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        co_await store.open(path, slots);
        co_await append(store, slots + 3);
        EXPECT_EQ(store.overwritten(), 3u);
        EXPECT_EQ(store.waiting(), slots);
        EXPECT_EQ(store.oldest(), 4u);
        for (std::uint64_t sequence = 4; sequence <= slots + 3; ++sequence) {
            co_await expect_batch(store, sequence);
        }
        static std::array<std::byte, Store::slot_bytes> room;
        const auto gone = co_await store.read(3, room);
        EXPECT_FALSE(gone);
        co_await append(store, 100);
    });
    EXPECT_LE(world.simulation.world().file(path).size(), (slots + 1) * Store::slot_bytes);
}

Task<void> open_and_find_nothing() {
    const Opened open_for_now;
    Store& store = *Opened::store;
    co_await store.open(path, slots);
    EXPECT_FALSE(store.oldest());
    co_await append(store, 1);
    co_await expect_batch(store, store.next_sequence() - 1);
}

constexpr std::size_t sizes[] = {1, 100, 5000, 8192, 8200, 20'000, 40'960, 65'536};

TEST(Store, takes_zeros_for_nothing) {
    for (const std::size_t size : sizes) {
        InWorld world;
        world.simulation.world().write_file(path, std::string(size, '\0'));
        world.run(open_and_find_nothing);
    }
}

void expect_no_store(const std::string& content) {
    InWorld world;
    world.simulation.world().write_file(path, content);
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        const auto opened = co_await attempt(Opened::store->open(path, slots));
        EXPECT_TRUE(!opened && opened.error() == is_no_store);
    });
    EXPECT_TRUE(world.simulation.world().file(path) == content);
}

TEST(Store, leaves_a_file_alone_in_which_there_is_something_else) {
    for (const std::size_t size : sizes) {
        for (const char filling : {'x', '\xff'}) expect_no_store(std::string(size, filling));
    }
    // As images of disks begin.
    expect_no_store(std::string(32'768, '\0') + std::string(10'000, 'x'));
}

// Which read of a run it is: the first waits for signals, the second is of the marks.
constexpr unsigned read_of_slot(unsigned slot) {
    return 3 + slot;
}

Task<void> open_with_failing_reads(Store& store, unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        ringlet::testing::world().fail_nth(IORING_OP_READ, first + i, EIO);
    }
    co_await store.open(path, slots);
}

TEST(Store, does_without_a_slot_that_cannot_be_read) {
    InWorld world;
    world.run(keep_three_and_send_one);
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        co_await open_with_failing_reads(store, read_of_slot(2), 1);
        EXPECT_EQ(store.oldest(), 2u);
        EXPECT_EQ(store.next_sequence(), 4u);
        co_await expect_batch(store, 2);
        co_await expect_batch(store, 3);
    });
}

TEST(Store, uses_no_number_again_whose_slot_cannot_be_read) {
    for (const unsigned failing_reads : {1u, 2u}) {
        static unsigned reads;
        reads = failing_reads;
        InWorld world;
        world.run(keep_three_and_send_one);
        world.run([]() -> Task<void> {
            const Opened open_for_now;
            Store& store = *Opened::store;
            co_await open_with_failing_reads(store, read_of_slot(3), reads);
            EXPECT_EQ(store.next_sequence(), 4u);
            EXPECT_EQ(store.waiting(), 2u);
            co_await append(store, 1);
            for (const std::uint64_t each : {2u, 3u, 4u}) co_await expect_batch(store, each);
        });
    }
}

TEST(Store, goes_past_more_than_one_slot_that_cannot_be_read) {
    InWorld world;
    world.run(keep_three_and_send_one);
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        // Numbers 2 and 3, twice each.
        co_await open_with_failing_reads(store, read_of_slot(2), 4);
        EXPECT_EQ(store.next_sequence(), 4u);
        co_await append(store, 1);
        for (const std::uint64_t each : {2u, 3u, 4u}) co_await expect_batch(store, each);
    });
}

TEST(Store, counts_the_oldest_whose_place_it_goes_past) {
    InWorld world;
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        co_await Opened::store->open(path, slots);
        co_await append(*Opened::store, slots);  // and none is sent
    });
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        // Number 1, whose place is number 5's; and once more, behind the end of the file.
        const unsigned again = read_of_slot(slots) + 1;
        ringlet::testing::world().fail_nth(IORING_OP_READ, again, EIO);
        co_await open_with_failing_reads(store, read_of_slot(1), 1);
        EXPECT_EQ(store.next_sequence(), slots + 2);
        EXPECT_EQ(store.overwritten(), 1u);
        EXPECT_EQ(store.oldest(), 2u);
    });
}

TEST(Store, finds_nothing_where_nothing_can_be_read) {
    InWorld world;
    world.run(keep_three_and_send_one);
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        co_await open_with_failing_reads(store, read_of_slot(0), 2 * slots);
        EXPECT_EQ(store.next_sequence(), 2u + slots) << "after number 1, which is marked as sent";
        co_await append(store, 1);
        co_await expect_batch(store, 2 + slots);
    });
}

TEST(Store, knows_a_batch_with_a_wrong_bit) {
    InWorld world;
    world.run(keep_three_and_send_one);
    const std::string good(world.simulation.world().file(path));
    // All bits of the header of number 2, and of some bytes behind it.
    const std::size_t start = (1 + 2) * Store::slot_bytes;
    for (std::size_t at = start; at < start + 40; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
            world.simulation.world().write_file(path, bad);
            world.run([]() -> Task<void> {
                const Opened open_for_now;
                Store& store = *Opened::store;
                co_await store.open(path, slots);
                static std::array<std::byte, Store::slot_bytes> room;
                const auto text = co_await store.read(2, room);
                EXPECT_FALSE(text);
                co_await expect_batch(store, 3);
            });
        }
    }
}

TEST(Store, refuses_a_file_made_for_another_number_of_slots) {
    InWorld world;
    world.run(keep_three_and_send_one);
    world.run([]() -> Task<void> {
        const Opened open_for_now;
        Store& store = *Opened::store;
        const auto opened = co_await attempt(store.open(path, slots + 1));
        EXPECT_TRUE(!opened && opened.error() == has_other_slots);
        EXPECT_EQ(store.slots(), slots);
    });
}

TEST(Store, can_be_tried_again_after_an_error) {
    InWorld world;
    world.run([]() -> Task<void> {
        auto& outside = ringlet::testing::world();
        const Opened open_for_now;
        Store& store = *Opened::store;
        co_await store.open(path, slots);
        co_await append(store, 1);
        outside.set_disk_bytes(0);
        const auto full = co_await attempt(append(store, 1));
        EXPECT_TRUE(!full && full.error() == std::errc::no_space_on_device);
        outside.set_disk_bytes(1_MiB);
        for (const int opcode : {IORING_OP_WRITE, IORING_OP_FSYNC}) {
            outside.fail_next(opcode, EIO);
            const auto failed = co_await attempt(append(store, 1));
            EXPECT_TRUE(!failed && failed.error() == std::errc::io_error);
        }
        EXPECT_EQ(store.next_sequence(), 2u);
        co_await append(store, 1);
        co_await expect_batch(store, 1);
        co_await expect_batch(store, 2);
    });
}

// ---- power ----

// What was promised by the time that the power failed.
std::uint64_t kept;
std::uint64_t sent;

Task<void> work() {
    kept = sent = 0;
    const Opened open_for_now;
    Store& store = *Opened::store;
    co_await store.open(path, slots);
    for (unsigned i = 0; i < 7; ++i) {
        co_await append(store, 1);
        kept = store.next_sequence() - 1;
        if (i % 2 == 0) continue;
        sent = *store.oldest();
        co_await store.mark_sent(sent);
    }
}

unsigned again;

Task<void> look() {
    const Opened open_for_now;
    Store& store = *Opened::store;
    co_await store.open(path, slots);
    EXPECT_GE(store.next_sequence(), kept + 1) << "a number would be used again";
    EXPECT_LE(store.next_sequence(), kept + 2) << "nobody has written that";
    // What has to be there; more may be.
    const std::uint64_t newest = store.next_sequence() - 1;
    const std::uint64_t gone = newest > slots ? newest - slots : 0;
    for (std::uint64_t sequence = std::max(gone, sent) + 1; sequence <= kept; ++sequence) {
        // The slot of the oldest may have been about to be written.
        if (sequence + slots == kept + 1 && newest == kept) continue;
        EXPECT_GE(sequence, store.oldest().value_or(0));
        co_await expect_batch(store, sequence);
    }
    again += store.oldest().value_or(sent + 1) <= sent ? 1 : 0;
    co_await append(store, 2);
    co_await expect_batch(store, store.next_sequence() - 1);
}

// Before that, a process was killed between writing a batch and syncing it.
Task<void> work_after_a_kill() {
    constexpr const char* other = "/var/other";
    kept = sent = 0;
    for (const char* each : {other, path}) {
        const Opened open_for_now;
        co_await Opened::store->open(each, slots);
        co_await append(*Opened::store, each == other ? 2 : 1);
    }
    kept = 1;
    {
        static std::array<std::byte, Store::slot_bytes> slot;
        constexpr std::uint64_t of_two = (1 + 2) * Store::slot_bytes;
        auto from = co_await ringlet::File::open(other, ringlet::OpenMode::read);
        std::size_t size = 0;
        for (std::size_t count = 1; count > 0; size += count) {
            count = co_await from.read_at(of_two + size, std::span(slot).subspan(size));
        }
        auto to = co_await ringlet::File::open(path, ringlet::OpenMode::read_write);
        co_await to.write_all_at(of_two, std::span(slot).first(size));
    }
    const Opened open_for_now;
    co_await Opened::store->open(path, slots);
    kept = std::max(kept, Opened::store->next_sequence() - 1);  // what it has it will send
    co_await append(*Opened::store, 1);
    kept = 3;
}

void explore(Task<void> (*program)(), unsigned points_min, std::uint64_t seed) {
    again = 0;
    const auto check = [](Simulation& simulation, const ringlet::testing::PowerCut& cut) {
        EXPECT_EQ(simulation.run<limits>(look), 0) << text(cut) << simulation.log();
    };
    SimulationOptions world = ringlet::testing::seeded(seed);
    const auto found = ringlet::testing::explore_power_cuts<limits>(
        program, check,
        {.world = world, .prepare = [](World& made) { made.make_folder("/var"); }, .draws = 4});
    EXPECT_TRUE(found.is_clean());
    if (!found.whole) return;
    EXPECT_GE(found.points, points_min);
    std::printf("seed %llu: %u cuts at %u points; %u times a batch would be sent again\n",
                static_cast<unsigned long long>(seed), found.cuts, found.points, again);
}

TEST(StoreInAPowerCut, keeps_what_it_has_promised) {
    ringlet::testing::for_each_seed(2, [](std::uint64_t seed) { explore(work, 17, seed); });
}

TEST(StoreInAPowerCut, keeps_what_a_killed_process_had_not_synced_and_it_promises) {
    ringlet::testing::for_each_seed(
        2, [](std::uint64_t seed) { explore(work_after_a_kill, 20, seed); });
}

}  // namespace
}  // namespace station
