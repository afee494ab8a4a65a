// Replacing a file as a whole.
#include <io/io_cases.hpp>

#include <ringlet/flow/with.hpp>
#include <ringlet/io/atomic_file.hpp>

#include <cstring>

using namespace ringlet;
using namespace ringlet::support;

namespace {

Task<void> put(const char* path, std::string_view text) {
    File file = co_await File::open(path, OpenMode::replace);
    co_await file.write_all(bytes_of(text));
    co_await file.close();
}

// The folder can be removed if nothing is left in it.
Task<void> expect_empty(const TestFolder& folder) {
    const auto empty = co_await attempt(remove_folder(folder.root()));
    EXPECT_TRUE(empty) << "a temporary is left";
}

Task<void> expect_alone(const TestFolder& folder, const char* path) {
    const auto removed = co_await attempt(remove_file(path));
    EXPECT_TRUE(removed);
    co_await expect_empty(folder);
}

}  // namespace

RINGLET_CASE(AtomicFiles, show_the_old_contents_until_the_commit) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "config";
    co_await put(path, "old");
    const unsigned before = scheduler().descriptors();
    co_await with(AtomicFile::open(path), [&](AtomicFile& file) -> Task<void> {
        co_await file.write_all(bytes_of("new"));
        const auto meanwhile = co_await contents_of(path);
        EXPECT_EQ(meanwhile, "old");
        EXPECT_FALSE(file.is_committed());
        co_await file.commit();
        EXPECT_TRUE(file.is_committed());
        const auto after = co_await contents_of(path);
        EXPECT_EQ(after, "new");
    });
    co_await expect_descriptors(before);
    co_await expect_alone(folder, path);
}

RINGLET_CASE(AtomicFiles, that_are_not_committed_change_nothing) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "config";
    co_await put(path, "old");
    co_await with(AtomicFile::open(path), [&](AtomicFile& file) -> Task<void> {
        co_await file.write_all(bytes_of("new"));
    });
    const auto failed = co_await attempt(
        with(AtomicFile::open(path), [&](AtomicFile& file) -> Task<void> {
            co_await file.write_all(bytes_of("new"));
            co_await fail(std::errc::bad_message);
        }));
    EXPECT_EQ(error_of(failed), std::errc::bad_message);
    const auto expired = co_await attempt(
        timeout(5ms, with(AtomicFile::open(path), [&](AtomicFile& file) -> Task<void> {
                    co_await file.write_all(bytes_of("new"));
                    co_await sleep(1h);
                })));
    EXPECT_FALSE(expired);
    const auto contents = co_await contents_of(path);
    EXPECT_EQ(contents, "old");
    co_await expect_alone(folder, path);
}

RINGLET_CASE(AtomicFiles, make_a_file_that_was_not_there) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "config";
    co_await write_atomic(path, bytes_of("first"));
    const auto first = co_await contents_of(path);
    EXPECT_EQ(first, "first");
    co_await write_atomic(path, bytes_of("second"));
    const auto second = co_await contents_of(path);
    EXPECT_EQ(second, "second");
    co_await expect_alone(folder, path);
}

RINGLET_CASE(AtomicFiles, keep_the_permissions_of_the_old_file) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "secret";
    File file = co_await File::open(path, OpenMode::replace, 0600);
    co_await file.close();
    co_await write_atomic(path, bytes_of("x"));
    const auto status = co_await file_status(path);
    EXPECT_EQ(status.permissions, 0600u);
    const auto open_to_all = folder / "shared";  // more than any usual umask leaves
    File shared = co_await File::open(open_to_all, OpenMode::replace);
    const auto set = scheduler().system().set_permissions(shared.descriptor(), 0666);
    EXPECT_TRUE(set);
    co_await shared.close();
    co_await write_atomic(open_to_all, bytes_of("x"));
    const auto shared_status = co_await file_status(open_to_all);
    EXPECT_EQ(shared_status.permissions, 0666u);
    const auto fresh = folder / "fresh";
    co_await write_atomic(fresh, bytes_of("x"));
    const auto fresh_status = co_await file_status(fresh);
    EXPECT_EQ(fresh_status.permissions, 0644u & fresh_status.permissions);
    EXPECT_EQ(fresh_status.permissions & 0600, 0600u);
}

RINGLET_CASE(AtomicFiles, stand_in_folders_whose_names_can_be_synced) {
    const auto folder = co_await make_test_folder();
    const auto inner = folder / "inner//";
    co_await make_folder(inner);
    co_await sync_name(inner);
    co_await sync_folder(inner);
    const auto missing = co_await attempt(sync_name(folder / "no/inner"));
    EXPECT_EQ(error_of(missing), std::errc::no_such_file_or_directory);
    std::array<char, 300> long_path{};
    std::memset(long_path.data(), 'a', long_path.size() - 1);
    long_path[297] = '/';
    const auto too_long = co_await attempt(sync_name(long_path.data()));
    EXPECT_EQ(error_of(too_long), std::errc::filename_too_long);
    co_await remove_folder(inner);
    co_await expect_empty(folder);
}

TEST(FolderOf, is_what_the_last_slash_divides) {
    const std::pair<const char*, const char*> all[] = {
        {"a/b", "a"}, {"a/b/", "a"}, {"/a/b//", "/a"}, {"b", "."}, {"b/", "."},
        {"/b", "/"},  {"/b/", "/"},  {"/", "/"},       {"", "."},  {"//b", "/"}};
    for (const auto& [path, folder] : all) {
        const auto found = folder_of(path);
        ASSERT_TRUE(found) << path;
        EXPECT_STREQ(found->data(), folder) << path;
    }
    const std::string longest(folder_path_bytes_max, 'x');
    EXPECT_TRUE(folder_of((longest + "/b").c_str()));
    EXPECT_FALSE(folder_of((longest + "x/b").c_str()));
}

RINGLET_CASE(AtomicFiles, may_be_abandoned_twice) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "config";
    co_await put(path, "old");
    co_await with(AtomicFile::open(path), [&](AtomicFile& file) -> Task<void> {
        co_await file.abandon();
        co_await file.abandon();
        const auto late = co_await attempt(file.write_all(bytes_of("x")));
        EXPECT_FALSE(late);
    });
    co_await expect_alone(folder, path);
}

RINGLET_CASE(AtomicFiles, refuse_what_cannot_be_replaced) {
    const auto folder = co_await make_test_folder();
    const auto is_folder = co_await attempt(AtomicFile::open(folder.root()));
    EXPECT_EQ(error_of(is_folder), std::errc::is_a_directory);
    std::array<char, 300> long_path{};
    std::memset(long_path.data(), 'a', long_path.size() - 1);
    const auto too_long = co_await attempt(AtomicFile::open(long_path.data()));
    EXPECT_EQ(error_of(too_long), std::errc::filename_too_long);
    const auto path = folder / "missing/config";
    const auto no_folder = co_await attempt(write_atomic(path, bytes_of("x")));
    EXPECT_EQ(error_of(no_folder), std::errc::no_such_file_or_directory);
}

// A failure at each step: the old file is whole, or the new one, and no temporary is left.
TEST(AtomicFiles, survive_a_failure_of_every_operation) {
    static constexpr int opcodes[] = {IORING_OP_STATX, IORING_OP_OPENAT, IORING_OP_WRITE,
                                      IORING_OP_FSYNC, IORING_OP_RENAMEAT, IORING_OP_CLOSE};
    unsigned failures = 0;
    for (const int opcode : opcodes) {
        for (unsigned nth = 1; nth <= 3; ++nth) {
            ringlet::testing::Simulation simulation;
            simulation.world().make_folder("/etc");
            simulation.world().write_file("/etc/config", "old");
            simulation.world().fail_nth(opcode, nth, EIO);
            bool succeeded = false;
            simulation.run<case_limits>([](bool& well) -> Task<void> {
                const auto written = co_await attempt(write_atomic("/etc/config", bytes_of("new")));
                well = written.has_value();
            }, succeeded);
            failures += succeeded ? 0 : 1;
            const auto contents = simulation.world().file("/etc/config");
            EXPECT_TRUE(contents == "new" || (contents == "old" && !succeeded)) << contents;
            EXPECT_EQ(simulation.world().written(2).find("left behind"), std::string_view::npos)
                << opcode << " " << nth;
        }
    }
    EXPECT_GE(failures, 8u);
}

// Wherever it is cancelled: whole contents, and no temporary.
TEST(AtomicFiles, survive_a_cancellation_everywhere) {
    const auto scenario = []() -> Task<void> {
        (void)co_await attempt(make_folder("/etc"));
        co_await write_atomic("/etc/config", bytes_of("old"));
        co_await write_atomic("/etc/config", bytes_of("new"));
    };
    const auto found = ringlet::testing::explore_cancellation<case_limits>(
        scenario, {}, [](ringlet::testing::Simulation& simulation) {
            if (simulation.world().exists("/etc/config")) {
                const auto contents = simulation.world().file("/etc/config");
                EXPECT_TRUE(contents == "old" || contents == "new") << contents;
            }
            EXPECT_EQ(simulation.world().written(2).find("left behind"), std::string_view::npos);
        });
    EXPECT_GT(found.points, 10u);
    EXPECT_EQ(found.leaked + found.stuck + found.undisturbed_failures, 0u);
}

TEST(AtomicFiles, are_whole_with_short_writes) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        run_simulated(AtomicFiles_make_a_file_that_was_not_there,
                      {.seed = seed, .latency_max = Nanoseconds(1ms), .short_transfers = true});
    }
}
