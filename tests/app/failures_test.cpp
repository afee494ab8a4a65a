#include "support/cases.hpp"

#include <ringlet/app/exit_status.hpp>
#include <ringlet/app/failures.hpp>

#include <string>

namespace ringlet {
namespace {

constexpr Error no_space{std::errc::no_space_on_device};
constexpr Error broken_pipe{std::errc::broken_pipe};
constexpr Error refused{std::errc::connection_refused};

const Result<void> done;
const Result<void> ended_early = std::unexpected(refused);

TEST(Failures, are_none_at_first) {
    const Failures failures("copy");
    EXPECT_EQ(failures.lines(), "");
    EXPECT_FALSE(failures.output_is_lost());
    EXPECT_FALSE(failures.reader_has_left());
    EXPECT_EQ(failures.exit_status(done, true), exit_status::ok);
    EXPECT_EQ(failures.exit_status(done, false), exit_status::some_failed);
}

TEST(Failures, are_told_in_a_line_each_that_names_program_and_thing) {
    Failures failures("copy");
    failures.note("names", refused);
    failures.note("tcp://[::1]:9", refused, 12);
    EXPECT_EQ(failures.lines(),
              "copy: names: Connection refused\n"
              "copy: tcp://[::1]:9: after line 12: Connection refused\n");
    EXPECT_FALSE(failures.output_is_lost());
    EXPECT_EQ(failures.exit_status(done, true), exit_status::ok);
}

TEST(Failures, tell_the_beginning_of_a_long_name_and_none_of_its_control_characters) {
    Failures failures("copy");
    failures.note("a\nb" + std::string(1000, 'x'), refused);
    EXPECT_EQ(failures.lines().substr(0, 10), "copy: a?bx");
    EXPECT_TRUE(failures.lines().ends_with("x...: Connection refused\n"));
    EXPECT_LT(failures.lines().size(), 300u);
    for (int i = 0; i < 20; ++i) failures.note(std::string(1000, 'x'), refused);
    EXPECT_LT(failures.lines().size(), failures_bytes);
}

TEST(Failures, of_an_output_lose_it) {
    Failures failures("copy");
    failures.note_output("/full/file", no_space);
    EXPECT_EQ(failures.lines(), "copy: /full/file: No space left on device\n");
    EXPECT_TRUE(failures.output_is_lost());
    EXPECT_FALSE(failures.reader_has_left());
    EXPECT_EQ(failures.exit_status(done, true), exit_status::some_failed);
}

TEST(Failures, of_standard_output_are_told_but_a_broken_pipe_is_none) {
    Failures full("copy");
    full.note_standard_output(no_space);
    EXPECT_EQ(full.lines(), "copy: standard output: No space left on device\n");
    EXPECT_EQ(full.exit_status(done, true), exit_status::some_failed);
    Failures left("copy");
    left.note_standard_output(broken_pipe);
    EXPECT_EQ(left.lines(), "");
    EXPECT_TRUE(left.reader_has_left());
    EXPECT_TRUE(left.output_is_lost());
    EXPECT_EQ(left.exit_status(done, true), exit_status::ok);
    EXPECT_EQ(left.exit_status(ended_early, true), exit_status::ok);
    EXPECT_EQ(left.exit_status(ended_early, false), exit_status::some_failed);
}

TEST(Failures, of_a_file_are_told_even_if_it_is_a_broken_pipe) {
    Failures failures("copy");
    failures.note_output("/a/fifo", broken_pipe);
    EXPECT_EQ(failures.lines(), "copy: /a/fifo: Broken pipe\n");
    EXPECT_EQ(failures.exit_status(done, true), exit_status::some_failed);
}

TEST(Failures, log_an_error_that_ended_the_work_unless_the_output_has_been_lost) {
    Failures failures("copy");
    const auto main = [&]() -> Task<int> { co_return failures.exit_status(ended_early, true); };
    testing::Simulation simulation;
    EXPECT_EQ(simulation.run(main), exit_status::some_failed);
    EXPECT_NE(simulation.log().find("copy: Connection refused\n"), std::string::npos);
    failures.note_standard_output(no_space);
    testing::Simulation another;
    EXPECT_EQ(another.run(main), exit_status::some_failed);
    EXPECT_EQ(another.log(), "");
}

}  // namespace
}  // namespace ringlet
