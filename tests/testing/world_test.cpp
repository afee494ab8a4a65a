// World and SimulatedSystem: the bounds of a simulated world, and what tests can do to it.
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>
#include <ringlet/testing/socket_names.hpp>

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <memory>
#include <string>
#include <vector>

namespace ringlet::testing {
namespace {

constexpr std::uint64_t anywhere = ~std::uint64_t{0};

class WorldTest : public ::testing::Test {
protected:
    void build(const SimulationOptions& options = {}) {
        ring.reset();
        system.reset();
        world = std::make_unique<World>(options);
        system = std::make_unique<SimulatedSystem>(*world);
        ring = std::make_unique<SimulatedRing>(*world, RingSize{8, 16});
    }
    void SetUp() override { build(); }

    // The result of one operation that completes at once.
    template <class Prepare>
    int run(Prepare prepare) {
        prepare(&ring->next_sqe());
        ring->enter(Ring::Wait::for_one, std::chrono::seconds(1));
        Completion completion{0, -9999, 0};
        EXPECT_EQ(ring->reap({&completion, 1}), 1u);
        return completion.result;
    }
    int read(int descriptor, std::uint64_t at = anywhere) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, descriptor, out.data(), sizeof out, at);
        });
    }
    int write(int descriptor, std::string_view text) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_write(sqe, descriptor, text.data(), static_cast<unsigned>(text.size()),
                                anywhere);
        });
    }
    int open(const char* path, int flags) {
        return run(
            [&](io_uring_sqe* sqe) { io_uring_prep_openat(sqe, AT_FDCWD, path, flags, 0644); });
    }
    int close(int descriptor) {
        return run([&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, descriptor); });
    }
    int connect(int descriptor, const SocketAddress& address) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, descriptor, address.get(), address.size);
        });
    }
    int accept(int listener) {
        return run(
            [&](io_uring_sqe* sqe) { io_uring_prep_accept(sqe, listener, nullptr, nullptr, 0); });
    }

    std::unique_ptr<World> world;
    std::unique_ptr<SimulatedSystem> system;
    std::unique_ptr<SimulatedRing> ring;
    std::array<char, 16> out{};
};
using WorldDeathTest = WorldTest;

// ---- standard streams ----

TEST_F(WorldTest, standard_input_gives_what_was_fed_and_then_ends) {
    world->feed("hello");
    EXPECT_EQ(read(0), 5);
    EXPECT_EQ(std::string_view(out.data(), 5), "hello");
    world->end_input();
    EXPECT_EQ(read(0), 0);
}

TEST_F(WorldTest, standard_output_and_error_are_captured_apart) {
    EXPECT_EQ(write(1, "out"), 3);
    EXPECT_EQ(write(2, "err"), 3);
    EXPECT_EQ(close(1), 0);
    system->write_error("!");
    EXPECT_EQ(world->written(1), "out");
    EXPECT_EQ(world->written(2), "err!");
    EXPECT_EQ(write(1, "gone"), -EBADF);
    EXPECT_EQ(write(0, "x"), -EBADF);
}

TEST_F(WorldTest, a_full_capture_is_a_full_disk) {
    build({.output_bytes = 4});
    EXPECT_EQ(write(1, "123456"), 4);
    EXPECT_EQ(write(1, "x"), -ENOSPC);
}

TEST_F(WorldTest, terminals_are_as_wide_as_the_options_say) {
    EXPECT_FALSE(system->is_terminal(1));
    EXPECT_EQ(system->terminal_columns(1), 80);
    build({.terminal_columns = 120});
    EXPECT_TRUE(system->is_terminal(1));
    EXPECT_EQ(system->terminal_columns(1), 120);
    EXPECT_FALSE(system->is_terminal((*system->pipe())[0]));
}

TEST_F(WorldDeathTest, exit_now_shows_the_captured_errors_and_ends_the_process) {
    system->write_error("last words");
    EXPECT_EXIT(system->exit_now(3), ::testing::ExitedWithCode(3), "last words");
}

// ---- descriptors and pools ----

TEST_F(WorldTest, the_lowest_free_descriptor_is_given_next) {
    EXPECT_EQ(world->open_descriptors(), 3u);
    const auto ends = *system->pipe();
    EXPECT_EQ(ends, (std::array<int, 2>{3, 4}));
    EXPECT_EQ(close(3), 0);
    EXPECT_EQ(open("/f", O_WRONLY | O_CREAT), 3);
    EXPECT_EQ(world->open_descriptors(), 5u);
    system->close(3);
    system->close(4);
    EXPECT_EQ(world->open_descriptors(), 3u);
}

TEST_F(WorldTest, a_full_table_gives_emfile_and_makes_nothing) {
    const int listener = *system->socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(system->listen(listener, 4));
    const int client = *system->socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client, *system->local_address(listener)), 0);
    world->set_descriptor_limit(5);
    EXPECT_EQ(accept(listener), -EMFILE);
    EXPECT_EQ(open("/f", O_WRONLY | O_CREAT), -EMFILE);
    EXPECT_FALSE(world->exists("/f"));
    EXPECT_EQ(system->socket(AF_INET, SOCK_STREAM, 0).error(), std::errc::too_many_files_open);
    world->set_descriptor_limit(6);
    EXPECT_EQ(system->pipe().error(), std::errc::too_many_files_open);
    EXPECT_EQ(world->open_descriptors(), 5u);
    EXPECT_EQ(accept(listener), 5);  // the connection is still in line
}

TEST_F(WorldTest, exhausted_pools_give_the_kernels_errors_and_recover) {
    build({.pipes = 1, .sockets = 1, .signal_descriptors = 1});
    const auto ends = *system->pipe();
    EXPECT_EQ(system->pipe().error(), std::errc::too_many_files_open_in_system);
    system->close(ends[0]);
    system->close(ends[1]);
    EXPECT_TRUE(system->pipe());
    EXPECT_TRUE(system->socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(system->socket(AF_INET6, SOCK_STREAM, 0).error(),
              std::errc::too_many_files_open_in_system);
    EXPECT_TRUE(system->open_signals(signal_bit(15)));
    EXPECT_FALSE(system->open_signals(signal_bit(15)));
}

// ---- signals ----

TEST_F(WorldTest, only_blocked_signals_can_be_raised) {
    EXPECT_FALSE(world->raise(2));
    const int descriptor = *system->open_signals(signal_bit(2));
    EXPECT_TRUE(world->raise(2));
    EXPECT_FALSE(world->raise(15));
    std::array<char, 256> infos{};
    EXPECT_EQ(run([&](io_uring_sqe* sqe) {
                  io_uring_prep_read(sqe, descriptor, infos.data(), sizeof infos, 0);
              }),
              128);
    system->unblock_signals(signal_bit(2));
    EXPECT_FALSE(world->raise(2));
}

// ---- sockets ----

TEST_F(WorldTest, every_address_can_be_served_also_on_ipv6) {
    for (const int family : {AF_INET, AF_INET6}) {
        SocketAddress name = internet_address(family, true, 8080);
        auto* bytes = reinterpret_cast<unsigned char*>(&name.storage);
        bytes[family == AF_INET ? 4 : 8] = 10;  // the host's first byte: no loopback any more
        const int server = *system->socket(family, SOCK_STREAM, 0);
        ASSERT_TRUE(system->bind(server, name));
        ASSERT_TRUE(system->listen(server, 1));
        const int client = *system->socket(family, SOCK_STREAM, 0);
        EXPECT_EQ(connect(client, internet_address(family, true, 8080)), -ECONNREFUSED);
        EXPECT_EQ(connect(client, name), 0);
        EXPECT_GE(accept(server), 0);
    }
}

TEST_F(WorldTest, a_connection_can_be_reset_from_outside) {
    const int listener = *system->socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_TRUE(system->listen(listener, 1));
    const int client = *system->socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(connect(client, *system->local_address(listener)), 0);
    const int server = accept(listener);
    world->reset_connection(client);
    EXPECT_EQ(read(client), -ECONNRESET);
    EXPECT_EQ(read(client), 0);
    EXPECT_EQ(*system->get_option(server, SOL_SOCKET, SO_ERROR), ECONNRESET);
    EXPECT_EQ(write(server, "x"), -EPIPE);
}

TEST_F(WorldTest, raw_sockets_are_not_simulated) {
    EXPECT_FALSE(system->socket(AF_INET, SOCK_RAW, 0));
}

// ---- the disk ----

TEST_F(WorldTest, tests_put_files_there_and_read_them) {
    world->make_folder("/etc");
    world->write_file("/etc/app.json", "{}");
    const int file = open("/etc/app.json", O_RDWR | O_APPEND);
    EXPECT_EQ(read(file), 2);
    EXPECT_EQ(write(file, "!"), 1);
    EXPECT_EQ(world->file("/etc/app.json"), "{}!");
    EXPECT_FALSE(world->exists("/etc/none"));
}

TEST_F(WorldTest, a_full_disk_takes_what_fits_and_then_nothing) {
    build({.disk_bytes = 8});
    const int file = open("/f", O_RDWR | O_CREAT);
    EXPECT_EQ(write(file, "0123456789"), 8);
    EXPECT_EQ(write(file, "ab"), 2);  // a short write has not moved the position
    EXPECT_EQ(world->file("/f"), "ab234567");
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, file, "x", 1, 8); }), -ENOSPC);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, file, "y", 1, 0); }), 1);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_unlink(sqe, "/f", 0); }), 0);
    const int other = open("/g", O_WRONLY | O_CREAT);
    EXPECT_EQ(write(other, "x"), -ENOSPC);  // the unlinked file is open, so it still has its bytes
    EXPECT_EQ(close(file), 0);
    EXPECT_EQ(write(other, "x"), 1);
    world->set_disk_bytes(0);
    EXPECT_EQ(write(other, "x"), -ENOSPC);
    EXPECT_EQ(world->files().used_bytes(), 1u);
}

TEST_F(WorldTest, files_have_a_longest_size_and_a_largest_number) {
    build({.files = 2, .file_bytes = 4});
    const int file = open("/f", O_RDWR | O_CREAT);
    EXPECT_EQ(write(file, "012345"), 4);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, file, "x", 1, 4); }), -EFBIG);
    EXPECT_EQ(open("/g", O_WRONLY | O_CREAT), -ENOSPC);
    EXPECT_EQ(open("/f", O_WRONLY | O_TRUNC), 4);
    EXPECT_EQ(world->file("/f"), "");
}

TEST_F(WorldTest, a_read_only_folder_refuses_changes_all_the_way_down) {
    world->make_folder("/ro");
    world->make_folder("/ro/deep");
    world->write_file("/ro/deep/f", "x");
    world->set_access("/ro", FolderAccess::read_only);
    EXPECT_EQ(open("/ro/deep/f", O_WRONLY), -EROFS);
    EXPECT_EQ(open("/ro/deep/g", O_WRONLY | O_CREAT), -EROFS);
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_unlink(sqe, "/ro/deep/f", 0); }), -EROFS);
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_mkdir(sqe, "/ro/d", 0755); }), -EROFS);
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_rename(sqe, "/ro/deep/f", "/f"); }),
              -EROFS);
    EXPECT_GE(open("/ro/deep/f", O_RDONLY), 0);
}

TEST_F(WorldTest, a_denied_folder_lets_nobody_in) {
    world->make_folder("/no");
    world->write_file("/no/f", "x");
    world->set_access("/no", FolderAccess::denied);
    EXPECT_EQ(open("/no/f", O_RDONLY), -EACCES);
    EXPECT_EQ(open("/no/g", O_WRONLY | O_CREAT), -EACCES);
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_rename(sqe, "/no/f", "/f"); }), -EACCES);
    world->set_access("/no", FolderAccess::full);
    EXPECT_GE(open("/no/f", O_RDONLY), 0);
}

// ---- chance ----

TEST_F(WorldTest, random_bytes_repeat_with_the_seed) {
    const auto draw = [&](std::uint64_t seed) {
        build({.seed = seed});
        std::array<std::byte, 16> bytes{};
        system->random(bytes);
        return bytes;
    };
    EXPECT_EQ(draw(1), draw(1));
    EXPECT_NE(draw(1), draw(2));
}

}  // namespace
}  // namespace ringlet::testing
