// What the cases of io/ share: a folder of their own, the descriptors they left, and a cancellation
// in flight.
#pragma once

#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/task/yield.hpp>
#include <ringlet/time/sleep.hpp>

#include <support/cases.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>

namespace ringlet::support {

using namespace std::chrono_literals;

// The error of what must have failed; one that compares equal to nothing if it did not.
template <class T>
Error error_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? Error() : result.error();
}

// Removed when the process ends, if a case on the kernel made it.
struct ProcessFolder {
    ProcessFolder() { std::snprintf(path, sizeof path, "/tmp/ringlet-io-%d", ::getpid()); }
    ~ProcessFolder() {
        std::error_code ignored;
        if (on_disk) std::filesystem::remove_all(path, ignored);
    }
    char path[64];
    bool on_disk = false;
};
inline ProcessFolder process_folder;

// A path in a folder that is made anew for each run of a case.
class TestFolder {
public:
    struct Path {
        char text[128];
        operator const char*() const { return text; }
    };

    explicit TestFolder(unsigned number) {
        std::snprintf(root_, sizeof root_, "%s/%u", process_folder.path, number);
    }
    const char* root() const { return root_; }
    Path operator/(const char* name) const {
        Path path;
        std::snprintf(path.text, sizeof path.text, "%s/%s", root_, name);
        return path;
    }

private:
    char root_[96];
};

inline Task<TestFolder> make_test_folder() {
    static unsigned count = 0;
    const TestFolder folder(++count);
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    process_folder.on_disk |= std::string_view(test->name()).ends_with("_kernel") ||
                              std::string_view(test->test_suite_name()).starts_with("Kernel");
    (void)co_await attempt(make_folder("/tmp"));
    (void)co_await attempt(make_folder(process_folder.path));
    co_await make_folder(folder.root());
    co_return folder;
}

inline Task<std::string> contents_of(const char* path) {
    std::array<std::byte, 512> buffer;
    const auto contents = co_await read_file(path, buffer);
    co_return std::string(text_of(contents));
}

// Closes are under way in the background: waits for `expected` to be left.
inline Task<void> expect_descriptors(unsigned expected) {
    for (int tries = 0; tries < 500 && scheduler().descriptors() != expected; ++tries) {
        co_await sleep(1ms);
    }
    EXPECT_EQ(scheduler().descriptors(), expected);
}

// All that is left of Limits::descriptors, but for `spare`.
class FullDescriptors {
public:
    explicit FullDescriptors(unsigned spare = 0) {
        while (scheduler().reserve_descriptor()) ++count_;
        for (; spare > 0; --spare, --count_) scheduler().release_descriptor();
    }
    ~FullDescriptors() {
        for (; count_ > 0; --count_) scheduler().release_descriptor();
    }
    FullDescriptors(const FullDescriptors&) = delete;

private:
    unsigned count_ = 0;
};

inline void expect_descriptor_limit(Error error) {
    EXPECT_EQ(error.code(), std::errc::too_many_files_open);
    EXPECT_TRUE(error == RuntimeDetail::descriptors);
}

// Starts `function`, lets it get under way, and cancels it. True if it had a value nevertheless.
template <class F>
Task<bool> cancel_in_flight(F& function) {
    bool value = false;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto task = group.spawn(std::ref(function));
        co_await yield();
        co_await yield();
        task.cancel();
        const auto joined = co_await attempt(task.join());
        value = joined.has_value();
        if (!value) {
            EXPECT_EQ(joined.error(), cancelled_error);
        }
    });
    co_return value;
}

}  // namespace ringlet::support
