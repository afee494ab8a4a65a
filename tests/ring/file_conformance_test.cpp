// Files and folders through the ring: the calls' results and what they leave behind. On both.
#include "ring/conformance.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <poll.h>
#include <sys/stat.h>

namespace ringlet {
namespace {

class FileConformance : public Conformance {
protected:
    int open(const char* name, int flags, int folder = AT_FDCWD) {
        const std::string where = folder == AT_FDCWD ? path(name) : name;
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_openat(sqe, folder, where.c_str(), flags | O_CLOEXEC, 0644);
        });
    }
    void make(const char* name, std::string_view text) {
        const int file = open(name, O_WRONLY | O_CREAT | O_TRUNC);
        ASSERT_GE(file, 0);
        EXPECT_EQ(write(file, text), static_cast<int>(text.size()));
        EXPECT_EQ(close(file), 0);
    }
    int read_at(int file, std::span<char> into, std::uint64_t at) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, file, into.data(), static_cast<unsigned>(into.size()), at);
        });
    }
    std::string text(const char* name) {
        const int file = open(name, O_RDONLY);
        if (file < 0) return "no such file";
        std::array<char, 64> into{};
        const int count = read_at(file, into, 0);
        close(file);
        return {into.data(), static_cast<std::size_t>(std::max(count, 0))};
    }
    int make_folder(const char* name) {
        const std::string where = path(name);
        return run([&](io_uring_sqe* sqe) { io_uring_prep_mkdir(sqe, where.c_str(), 0755); });
    }
    int unlink(const char* name, int flags = 0) {
        const std::string where = path(name);
        return run([&](io_uring_sqe* sqe) { io_uring_prep_unlink(sqe, where.c_str(), flags); });
    }
    int rename(const char* from, const char* to, unsigned flags = 0) {
        const std::string old_path = path(from);
        const std::string new_path = path(to);
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_renameat(sqe, AT_FDCWD, old_path.c_str(), AT_FDCWD, new_path.c_str(),
                                   flags);
        });
    }
    int statx(const char* name, struct statx& found) {
        const std::string where = path(name);
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_statx(sqe, AT_FDCWD, where.c_str(), 0, STATX_BASIC_STATS, &found);
        });
    }
    std::array<char, 64> out{};
};
INSTANTIATE_TEST_SUITE_P(On, FileConformance, ::testing::Values(On::kernel, On::simulation),
                         side_name);

TEST_P(FileConformance, what_is_written_can_be_read) {
    const int file = open("f", O_RDWR | O_CREAT);
    ASSERT_GE(file, 0);
    EXPECT_EQ(write(file, "hello"), 5);
    EXPECT_EQ(write(file, " world"), 6);
    EXPECT_EQ(result(start_read(file, out)), 0);
    EXPECT_EQ(read_at(file, std::span(out).first(4), 3), 4);
    EXPECT_EQ(std::string_view(out.data(), 4), "lo w");
    EXPECT_EQ(write(file, "J", 0), 1);
    EXPECT_EQ(write(file, "!"), 1);  // an explicit offset moves no position
    EXPECT_EQ(close(file), 0);
    EXPECT_EQ(text("f"), "Jello world!");
}

TEST_P(FileConformance, a_gap_reads_as_zeros) {
    const int file = open("f", O_RDWR | O_CREAT);
    EXPECT_EQ(write(file, "ab", 0), 2);
    EXPECT_EQ(write(file, "cd", 4), 2);
    EXPECT_EQ(read_at(file, out, 0), 6);
    EXPECT_EQ(std::string_view(out.data(), 6), std::string_view("ab\0\0cd", 6));
    EXPECT_EQ(read_at(file, out, 6), 0);
    EXPECT_EQ(read_at(file, out, 600), 0);
    close(file);
}

TEST_P(FileConformance, open_flags_decide_what_is_made) {
    EXPECT_EQ(open("f", O_RDONLY), -ENOENT);
    make("f", "old");
    EXPECT_EQ(open("f", O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
    EXPECT_EQ(open("f", O_RDONLY | O_DIRECTORY), -ENOTDIR);
    EXPECT_EQ(open("f/", O_RDONLY), -ENOTDIR);
    EXPECT_EQ(open("f/g", O_RDONLY), -ENOTDIR);
    EXPECT_EQ(open("new/", O_WRONLY | O_CREAT), -EISDIR);
    EXPECT_EQ(open("no/f", O_WRONLY | O_CREAT), -ENOENT);
    EXPECT_EQ(open("", O_WRONLY | O_CREAT), -EISDIR);
    EXPECT_EQ(open(std::string(256, 'x').c_str(), O_WRONLY | O_CREAT), -ENAMETOOLONG);
    const int kept = open("f", O_WRONLY);
    EXPECT_EQ(write(kept, "n"), 1);
    close(kept);
    EXPECT_EQ(text("f"), "nld");
    close(open("f", O_WRONLY | O_TRUNC));
    EXPECT_EQ(text("f"), "");
}

TEST_P(FileConformance, an_appending_file_appends_wherever_it_is_told_to_write) {
    make("f", "abc");
    const int file = open("f", O_WRONLY | O_APPEND);
    EXPECT_EQ(write(file, "d"), 1);
    EXPECT_EQ(write(file, "e", 0), 1);
    close(file);
    EXPECT_EQ(text("f"), "abcde");
}

TEST_P(FileConformance, a_file_does_only_what_it_was_opened_for) {
    make("f", "abc");
    const int reading = open("f", O_RDONLY);
    EXPECT_EQ(write(reading, "x"), -EBADF);
    const int writing = open("f", O_WRONLY);
    EXPECT_EQ(result(start_read(writing, out)), -EBADF);
    EXPECT_EQ(receive(writing, out), -ENOTSOCK);
    close(reading);
    close(writing);
}

TEST_P(FileConformance, fsync_of_files_and_folders_is_accepted) {
    const int file = open("f", O_WRONLY | O_CREAT);
    const auto fsync = [&](int descriptor, unsigned flags) {
        return run([&](io_uring_sqe* sqe) { io_uring_prep_fsync(sqe, descriptor, flags); });
    };
    EXPECT_EQ(fsync(file, 0), 0);
    EXPECT_EQ(fsync(file, IORING_FSYNC_DATASYNC), 0);
    EXPECT_EQ(fsync(file, 77), -EINVAL);
    const int folder = open(".", O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(fsync(folder, 0), 0);
    EXPECT_EQ(fsync(9999, 0), -EBADF);
    close(file);
    close(folder);
}

TEST_P(FileConformance, folders_hold_files_and_are_no_files) {
    EXPECT_EQ(make_folder("d"), 0);
    EXPECT_EQ(make_folder("d"), -EEXIST);
    EXPECT_EQ(make_folder("no/d"), -ENOENT);
    make("d/f", "inside");
    EXPECT_EQ(text("d/../d/./f"), "inside");
    EXPECT_EQ(open("d", O_WRONLY), -EISDIR);
    EXPECT_EQ(open("d", O_RDONLY | O_CREAT), -EISDIR);
    const int folder = open("d", O_RDONLY | O_DIRECTORY);
    ASSERT_GE(folder, 0);
    EXPECT_EQ(result(start_read(folder, out)), -EISDIR);
    const int file = open("f", O_RDONLY, folder);
    EXPECT_GE(file, 0);
    EXPECT_EQ(open("f", O_RDONLY, file), -ENOTDIR);
    EXPECT_EQ(open("f", O_RDONLY, 9999), -EBADF);
    close(file);
    close(folder);
}

TEST_P(FileConformance, unlink_takes_the_name_and_leaves_the_open_file) {
    make("f", "alive");
    const int file = open("f", O_RDONLY);
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_EQ(unlink("f"), -ENOENT);
    EXPECT_EQ(open("f", O_RDONLY), -ENOENT);
    EXPECT_EQ(read_at(file, out, 0), 5);
    close(file);
}

TEST_P(FileConformance, folders_are_removed_when_they_are_empty) {
    EXPECT_EQ(make_folder("d"), 0);
    make("d/f", "");
    EXPECT_EQ(unlink("d"), -EISDIR);
    EXPECT_EQ(unlink("d", AT_REMOVEDIR), -ENOTEMPTY);
    EXPECT_EQ(unlink("d/f", AT_REMOVEDIR), -ENOTDIR);
    EXPECT_EQ(unlink("d/f", 1), -EINVAL);
    EXPECT_EQ(unlink("d/f"), 0);
    const int folder = open("d", O_RDONLY);
    EXPECT_EQ(unlink("d", AT_REMOVEDIR), 0);
    EXPECT_EQ(open("f", O_WRONLY | O_CREAT, folder), -ENOENT);
    EXPECT_EQ(unlink(".", AT_REMOVEDIR), -EINVAL);
    close(folder);
}

TEST_P(FileConformance, rename_replaces_what_is_there) {
    make("old", "old");
    make("new", "new");
    const int open_file = open("old", O_RDONLY);
    EXPECT_EQ(rename("new", "old"), 0);
    EXPECT_EQ(text("old"), "new");
    EXPECT_EQ(open("new", O_RDONLY), -ENOENT);
    EXPECT_EQ(read_at(open_file, out, 0), 3);
    EXPECT_EQ(std::string_view(out.data(), 3), "old");
    close(open_file);
    EXPECT_EQ(rename("old", "old"), 0);
    EXPECT_EQ(rename("none", "old"), -ENOENT);
    make("third", "3");
    EXPECT_EQ(rename("third", "old", RENAME_NOREPLACE), -EEXIST);
    EXPECT_EQ(rename("third", "fourth", RENAME_NOREPLACE), 0);
}

TEST_P(FileConformance, rename_keeps_files_and_folders_apart) {
    make("f", "");
    EXPECT_EQ(make_folder("d"), 0);
    EXPECT_EQ(make_folder("d/e"), 0);
    EXPECT_EQ(make_folder("empty"), 0);
    EXPECT_EQ(rename("f", "d"), -EISDIR);
    EXPECT_EQ(rename("d", "f"), -ENOTDIR);
    EXPECT_EQ(rename("f", "g/"), -ENOTDIR);
    EXPECT_EQ(rename("d", "d/e/inside"), -EINVAL);
    EXPECT_EQ(rename("empty", "d"), -ENOTEMPTY);
    EXPECT_EQ(rename("f", "."), -EBUSY);
    EXPECT_EQ(rename("d", "empty"), 0);
    EXPECT_EQ(rename("f", "empty/e/g"), 0);
    EXPECT_EQ(text("empty/e/g"), "");
}

TEST_P(FileConformance, statx_tells_size_and_kind) {
    make("f", "12345");
    EXPECT_EQ(make_folder("d"), 0);
    struct statx found{};
    EXPECT_EQ(statx("none", found), -ENOENT);
    EXPECT_EQ(statx("f", found), 0);
    EXPECT_TRUE((found.stx_mask & STATX_SIZE) != 0);
    EXPECT_EQ(found.stx_size, 5u);
    EXPECT_EQ(found.stx_nlink, 1u);
    EXPECT_TRUE(S_ISREG(found.stx_mode));
    EXPECT_EQ(found.stx_mode & 0777, 0644);
    const auto written = Instant{found.stx_mtime.tv_sec};
    EXPECT_LE(std::abs(written - system().now(Clock::realtime) / 1'000'000'000), 2);
    EXPECT_EQ(statx("d", found), 0);
    EXPECT_TRUE(S_ISDIR(found.stx_mode));
    const int file = open("f", O_RDONLY);
    EXPECT_EQ(unlink("f"), 0);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) {
                  io_uring_prep_statx(sqe, file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found);
              }),
              0);
    EXPECT_EQ(found.stx_size, 5u);
    EXPECT_EQ(found.stx_nlink, 0u);
    close(file);
}

TEST_P(FileConformance, a_file_is_always_ready) {
    const int file = open("f", O_RDWR | O_CREAT);
    EXPECT_EQ(result(start_poll(file, POLLIN | POLLOUT)), POLLIN | POLLOUT);
    close(file);
}

TEST_P(FileConformance, an_operation_may_be_sent_to_a_worker) {
    const int file = open("f", O_RDWR | O_CREAT);
    EXPECT_EQ(
        run([&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, file, "ab", 2, 0); }, IOSQE_ASYNC),
        2);
    close(file);
}

}  // namespace
}  // namespace ringlet
