// Files and their names.
#include <io/io_cases.hpp>

#include <ringlet/flow/with.hpp>

#include <csignal>
#include <sys/resource.h>

using namespace ringlet;
using namespace ringlet::support;

RINGLET_CASE_WHOLE(Files, keep_what_was_written_and_end_with_zero_bytes) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "greeting";
    File file = co_await File::open(path, OpenMode::replace);
    co_await file.write_all(bytes_of("hello, "));
    const auto count = co_await file.write(bytes_of("world"));
    EXPECT_EQ(count, 5u);
    co_await file.sync();
    co_await file.sync_data();
    co_await file.close();

    File again = co_await File::open(path);
    std::array<std::byte, 8> buffer;
    const auto first = co_await again.read(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(first)), "hello, w");
    const auto second = co_await again.read(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(second)), "orld");
    const auto end = co_await again.read(buffer);
    EXPECT_EQ(end, 0u);
}

RINGLET_CASE_WHOLE(Files, read_and_write_at_offsets_without_moving_the_position) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "numbers";
    const auto mode = OpenMode::read_write | OpenMode::create;
    File file = co_await File::open(path, mode);
    co_await file.write_all_at(0, bytes_of("0123456789"));
    co_await file.write_at(3, bytes_of("xyz"));
    std::array<std::byte, 4> buffer;
    const auto at = co_await file.read_at(2, buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(at)), "2xyz");
    const auto from_start = co_await file.read(buffer);
    EXPECT_EQ(text_of(std::span(buffer).first(from_start)), "012x");
    const auto beyond = co_await file.read_at(10, buffer);
    EXPECT_EQ(beyond, 0u);
}

RINGLET_CASE(Files, append_wherever_the_position_is) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "log";
    const auto mode = OpenMode::write | OpenMode::create | OpenMode::append;
    for (int i = 0; i < 3; ++i) {
        File file = co_await File::open(path, mode);
        co_await file.write_all(bytes_of("line\n"));
        co_await file.close();
    }
    const auto contents = co_await contents_of(path);
    EXPECT_EQ(contents, "line\nline\nline\n");
}

RINGLET_CASE(Files, say_why_they_cannot_be_opened) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "missing";
    const unsigned before = scheduler().descriptors();
    const auto missing = co_await attempt(File::open(path));
    EXPECT_EQ(error_of(missing), std::errc::no_such_file_or_directory);
    EXPECT_EQ(error_of(missing).domain(), Domain::kernel);
    const auto is_folder = co_await attempt(File::open(folder.root(), OpenMode::write));
    EXPECT_EQ(error_of(is_folder), std::errc::is_a_directory);
    EXPECT_EQ(scheduler().descriptors(), before);
}

RINGLET_CASE(Files, are_read_whole_if_the_buffer_holds_them) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "eight";
    File file = co_await File::open(path, OpenMode::replace);
    co_await file.write_all(bytes_of("12345678"));
    co_await file.close();
    std::array<std::byte, 9> larger;
    const auto in_larger = co_await read_file(path, larger);
    EXPECT_EQ(text_of(in_larger), "12345678");
    std::array<std::byte, 8> exact;
    const auto in_exact = co_await read_file(path, exact);
    EXPECT_EQ(text_of(in_exact), "12345678");
    std::array<std::byte, 7> smaller;
    const auto in_smaller = co_await attempt(read_file(path, smaller));
    EXPECT_EQ(error_of(in_smaller), std::errc::file_too_large);
}

RINGLET_CASE(Files, tell_their_size_kind_and_times) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "five";
    File file = co_await File::open(path, OpenMode::replace, 0640);
    co_await file.write_all(bytes_of("12345"));
    const auto open = co_await file.status();
    EXPECT_EQ(open.kind, FileKind::regular);
    EXPECT_EQ(open.bytes, 5u);
    EXPECT_EQ(open.permissions & 0600, 0600u);
    // The kernel stamps with the clock of its last tick.
    const Instant age = scheduler().now(Clock::realtime) - open.modified;
    EXPECT_LT(age, Nanoseconds(1h).count());
    const auto named = co_await file_status(path);
    EXPECT_EQ(named.bytes, 5u);
    const auto its_folder = co_await file_status(folder.root());
    EXPECT_EQ(its_folder.kind, FileKind::folder);
}

RINGLET_CASE(Files, are_closed_once_and_give_their_reservation_back) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "file";
    const unsigned before = scheduler().descriptors();
    File file = co_await File::open(path, OpenMode::replace);
    EXPECT_EQ(scheduler().descriptors(), before + 1);
    co_await file.close();
    EXPECT_FALSE(file.is_open());
    EXPECT_EQ(scheduler().descriptors(), before);
    co_await file.close();  // harmless
    std::array<std::byte, 4> buffer;
    const auto read = co_await attempt(file.read(buffer));
    EXPECT_EQ(error_of(read), std::errc::bad_file_descriptor);
    {
        File dropped = co_await File::open(path);
        EXPECT_EQ(scheduler().descriptors(), before + 1);
    }
    co_await expect_descriptors(before);
}

// io_uring says ECANCELED, too, where it can start no worker for what blocks.
TEST(SimulatedFiles, are_closed_in_the_end_when_the_kernel_puts_it_off) {
    for (const int times : {1, 2}) {
        ringlet::testing::Simulation simulation;
        auto& world = simulation.world();
        world.write_file("/file", "x");
        const unsigned before = world.open_descriptors();
        const auto main = [&]() -> Task<void> {
            const unsigned at_start = world.open_descriptors();
            {
                File file = co_await File::open("/file");
                for (int i = 0; i < times; ++i) world.fail_next(IORING_OP_CLOSE, ECANCELED);
            }
            co_await sleep(1ms);
            EXPECT_EQ(scheduler().descriptors(), 0u);
            // For ever would keep a core busy, and the run from its end.
            EXPECT_EQ(world.open_descriptors(), at_start + (times == 2 ? 1 : 0));
        };
        EXPECT_EQ(simulation.run(main), 0);
        EXPECT_EQ(world.open_descriptors(), before + (times == 2 ? 1 : 0));
        const bool is_told = world.standard_error().written().contains("is left open");
        EXPECT_EQ(is_told, times == 2);
    }
}

// Nobody asked for its end, so it is no cancellation.
TEST(SimulatedFiles, tell_that_an_awaited_close_could_not_begin) {
    ringlet::testing::Simulation simulation;
    auto& world = simulation.world();
    world.write_file("/file", "x");
    const auto main = [&]() -> Task<void> {
        const unsigned at_start = world.open_descriptors();
        File file = co_await File::open("/file");
        world.fail_next(IORING_OP_CLOSE, ECANCELED);
        const auto closed = co_await attempt(file.close());
        EXPECT_EQ(error_of(closed), std::errc::operation_canceled);
        co_await sleep(1ms);
        EXPECT_EQ(scheduler().descriptors(), 0u);
        EXPECT_EQ(world.open_descriptors(), at_start);
    };
    EXPECT_EQ(simulation.run(main), 0);
}

// So that who goes on with write() finds out under simulation.
TEST(SimulatedFiles, keep_their_position_after_a_short_write) {
    ringlet::testing::Simulation simulation;
    simulation.world().set_disk_bytes(3);
    const auto main = []() -> Task<void> {
        File file = co_await File::open("/file", OpenMode::read_write | OpenMode::create);
        const auto count = co_await file.write(bytes_of("abcde"));
        EXPECT_EQ(count, 3u);
        std::array<std::byte, 8> buffer;
        const auto again = co_await file.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(again)), "abc");
    };
    EXPECT_EQ(simulation.run(main), 0);
}

// No file may become longer; SIGXFSZ is ignored.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        signal_before_ = ::signal(SIGXFSZ, SIG_IGN);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, signal_before_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
    sighandler_t signal_before_ = SIG_DFL;
};

TEST(KernelFiles, are_not_overwritten_by_what_follows_a_short_write) {
    const auto main = []() -> Task<void> {
        const auto folder = co_await make_test_folder();
        const auto path = folder / "file";
        File file = co_await File::open(path, OpenMode::replace);
        co_await file.write_all(bytes_of("0123"));
        const FileSizeLimit limit(8);
        const auto written = co_await attempt(file.write_all(bytes_of("456789")));
        EXPECT_EQ(error_of(written), std::errc::file_too_large);
        const auto contents = co_await contents_of(path);
        EXPECT_EQ(contents, "01234567");
    };
    RINGLET_RUN_ON_KERNEL(case_runtime, main);
}

RINGLET_CASE(Files, over_the_limit_are_refused_without_a_leak) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "file";
    const unsigned before = scheduler().descriptors();
    {
        const FullDescriptors full;
        const auto refused = co_await attempt(File::open(path, OpenMode::replace));
        expect_descriptor_limit(error_of(refused));
    }
    EXPECT_EQ(scheduler().descriptors(), before);
    co_await with(File::open(path, OpenMode::replace),
                  [](File& file) -> Task<void> { co_await file.write_all(bytes_of("x")); });
    EXPECT_EQ(scheduler().descriptors(), before);
}

RINGLET_CASE(Files, are_renamed_and_removed) {
    const auto folder = co_await make_test_folder();
    const auto one = folder / "one";
    const auto two = folder / "two";
    const auto inner = folder / "inner";
    File file = co_await File::open(one, OpenMode::replace);
    co_await rename_file(one, two);
    const auto old_name = co_await attempt(file_status(one));
    EXPECT_FALSE(old_name);
    co_await make_folder(inner);
    const auto again = co_await attempt(make_folder(inner));
    EXPECT_EQ(error_of(again), std::errc::file_exists);
    co_await sync_folder(folder.root());
    const auto not_empty = co_await attempt(remove_folder(folder.root()));
    EXPECT_EQ(error_of(not_empty), std::errc::directory_not_empty);
    co_await remove_folder(inner);
    co_await remove_file(two);
    co_await remove_folder(folder.root());
    const auto gone = co_await attempt(remove_file(two));
    EXPECT_FALSE(gone);
}

RINGLET_CASE(Files, leak_nothing_when_each_call_is_cancelled_in_flight) {
    const auto folder = co_await make_test_folder();
    const auto path = folder / "file";
    const auto other = folder / "other";
    const unsigned before = scheduler().descriptors();
    auto open = [&]() -> Task<void> {
        File file = co_await File::open(path, OpenMode::replace);
        co_await file.close();
    };
    co_await cancel_in_flight(open);
    co_await expect_descriptors(before);
    {
        File file = co_await File::open(path, OpenMode::read_write | OpenMode::create);
        std::array<std::byte, 16> buffer;
        auto read = [&]() -> Task<void> { co_await file.read(buffer); };
        co_await cancel_in_flight(read);
        auto read_all = [&]() -> Task<void> { co_await file.read_all(buffer); };
        co_await cancel_in_flight(read_all);
        auto write = [&]() -> Task<void> { co_await file.write_all(bytes_of("abc")); };
        co_await cancel_in_flight(write);
        auto sync = [&]() -> Task<void> { co_await file.sync(); };
        co_await cancel_in_flight(sync);
        auto status = [&]() -> Task<void> { co_await file.status(); };
        co_await cancel_in_flight(status);
        auto make = [&]() -> Task<void> { co_await make_folder(other); };
        co_await cancel_in_flight(make);
        auto sync_it = [&]() -> Task<void> { co_await sync_folder(folder.root()); };
        co_await cancel_in_flight(sync_it);
        auto close = [&]() -> Task<void> { co_await file.close(); };
        co_await cancel_in_flight(close);
        EXPECT_FALSE(file.is_open());
    }
    co_await expect_descriptors(before);
}
