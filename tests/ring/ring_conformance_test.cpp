// What a ring does with operations: completing, parking, cancelling, selecting buffers. On both.
#include "ring/conformance.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

namespace ringlet {
namespace {

using RingConformance = Conformance;
INSTANTIATE_TEST_SUITE_P(On, RingConformance, ::testing::Values(On::kernel, On::simulation),
                         side_name);

TEST_P(RingConformance, nop_completes_with_zero) {
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }), 0);
}

TEST_P(RingConformance, an_unknown_opcode_completes_with_einval) {
    EXPECT_EQ(run([](io_uring_sqe* sqe) { sqe->opcode = 250; }), -EINVAL);
}

TEST_P(RingConformance, control_is_refused_by_what_knows_no_such_request) {
    const auto ends = *system().pipe();
    winsize size{};
    const auto refused = system().control_object(ends[0], TIOCGWINSZ, size);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), Error::kernel(ENOTTY));
    const auto closed = system().control_object(9999, TIOCGWINSZ, size);
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error(), Error::kernel(EBADF));
}

TEST_P(RingConformance, a_full_submission_queue_submits_by_itself) {
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 40; ++i) {
        ids.push_back(start([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }));
    }
    EXPECT_EQ(ring().unsubmitted(), 40u % 16);
    for (const auto id : ids)
        EXPECT_EQ(result(id), 0);
    EXPECT_EQ(ring().unsubmitted(), 0u);
}

TEST_P(RingConformance, waiting_ends_at_the_timeout) {
    const Instant before = system().now(Clock::monotonic);
    ring().enter(Ring::Wait::for_one, std::chrono::milliseconds(5));
    EXPECT_GE(system().now(Clock::monotonic) - before, 5'000'000);
}

TEST_P(RingConformance, skip_success_hides_successes_and_shows_failures) {
    const auto silent =
        start([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }, IOSQE_CQE_SKIP_SUCCESS);
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }), 0);
    EXPECT_TRUE(is_pending(silent));
    EXPECT_EQ(
        run([](io_uring_sqe* sqe) { io_uring_prep_close(sqe, 9999); }, IOSQE_CQE_SKIP_SUCCESS),
        -EBADF);
}

TEST_P(RingConformance, skip_success_shows_a_read_that_is_shorter_than_asked) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    ASSERT_EQ(write(ends[1], "abc"), 3);
    EXPECT_EQ(run(
                  [&](io_uring_sqe* sqe) {
                      io_uring_prep_read(sqe, ends[0], out.data(), 8, ~std::uint64_t{0});
                  },
                  IOSQE_CQE_SKIP_SUCCESS),
              3);
    ASSERT_EQ(write(ends[1], "abc"), 3);
    const auto exact = start(
        [&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, ends[0], out.data(), 3, ~std::uint64_t{0});
        },
        IOSQE_CQE_SKIP_SUCCESS);
    EXPECT_TRUE(is_pending(exact));
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_bad_descriptor_gives_ebadf) {
    std::array<char, 4> out{};
    EXPECT_EQ(result(start_read(9999, out)), -EBADF);
    EXPECT_EQ(result(start_poll(-1, POLLIN)), -EBADF);
    EXPECT_EQ(close(9999), -EBADF);
}

// ---- on a worker of the kernel ----

TEST_P(RingConformance, forced_onto_a_worker_an_operation_does_the_same) {
    const auto ends = *system().pipe();
    const std::string file = path("forced");
    const auto forced = [&](auto prepare) { return run(prepare, IOSQE_ASYNC); };
    EXPECT_EQ(forced([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }), 0);
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) {
                  io_uring_prep_write(sqe, ends[1], "abc", 3, ~std::uint64_t{0});
              }),
              3);
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, ends[0], POLLIN); }),
              POLLIN);
    std::array<char, 8> out{};
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) {
                  io_uring_prep_read(sqe, ends[0], out.data(), 8, ~std::uint64_t{0});
              }),
              3);
    const int opened = forced([&](io_uring_sqe* sqe) {
        io_uring_prep_openat(sqe, AT_FDCWD, file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    });
    EXPECT_GE(opened, 0);
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) { io_uring_prep_fsync(sqe, opened, 0); }), 0);
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, opened); }), 0);
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) { io_uring_prep_unlink(sqe, file.c_str(), 0); }), 0);
    EXPECT_EQ(forced([&](io_uring_sqe* sqe) { io_uring_prep_unlink(sqe, file.c_str(), 0); }),
              -ENOENT);
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, forced_onto_a_worker_a_read_still_waits_for_what_comes) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start(
        [&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, ends[0], out.data(), 8, ~std::uint64_t{0});
        },
        IOSQE_ASYNC);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(write(ends[1], "hello"), 5);
    EXPECT_EQ(result(reading), 5);
    close(ends[0]);
    close(ends[1]);
}

// ---- pipes ----

TEST_P(RingConformance, a_read_parks_until_the_other_end_writes) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(write(ends[1], "hello"), 5);
    EXPECT_EQ(result(reading), 5);
    EXPECT_EQ(std::string_view(out.data(), 5), "hello");
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_read_and_its_write_may_be_submitted_together) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(ends[0], out);
    const auto writing = start(
        [&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, ends[1], "xy", 2, ~std::uint64_t{0}); });
    EXPECT_EQ(result(reading), 2);
    EXPECT_EQ(result(writing), 2);
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_pipe_ends_when_its_last_writer_is_closed) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    ASSERT_EQ(write(ends[1], "ab"), 2);
    EXPECT_EQ(close(ends[1]), 0);
    EXPECT_EQ(result(start_read(ends[0], out)), 2);
    EXPECT_EQ(result(start_read(ends[0], out)), 0);
    close(ends[0]);
}

TEST_P(RingConformance, a_parked_read_sees_the_end_of_the_pipe) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(close(ends[1]), 0);
    EXPECT_EQ(result(reading), 0);
    close(ends[0]);
}

TEST_P(RingConformance, a_pipe_without_a_reader_is_broken) {
    const auto ends = *system().pipe();
    EXPECT_EQ(close(ends[0]), 0);
    EXPECT_EQ(write(ends[1], "x"), -EPIPE);
    close(ends[1]);
}

TEST_P(RingConformance, each_end_of_a_pipe_does_one_thing) {
    const auto ends = *system().pipe();
    std::array<char, 4> out{};
    EXPECT_EQ(write(ends[0], "x"), -EBADF);
    EXPECT_EQ(result(start_read(ends[1], out)), -EBADF);
    EXPECT_EQ(receive(ends[0], out), -ENOTSOCK);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_fsync(sqe, ends[0], 0); }), -EINVAL);
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_pipe_takes_64_kib_and_then_parks_the_writer) {
    const auto ends = *system().pipe();
    const std::string much(100'000, 'x');
    EXPECT_EQ(write(ends[1], much), 65536);
    const auto writing = start(
        [&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, ends[1], "yz", 2, ~std::uint64_t{0}); });
    EXPECT_TRUE(is_pending(writing));
    std::vector<char> out(65536);
    EXPECT_EQ(result(start_read(ends[0], out)), 65536);
    EXPECT_EQ(result(writing), 2);
    close(ends[0]);
    close(ends[1]);
}

// ---- cancelling ----

TEST_P(RingConformance, a_parked_read_can_be_cancelled) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(cancel(reading), 0);
    EXPECT_EQ(result(reading), -ECANCELED);
    EXPECT_EQ(cancel(reading), -ENOENT);
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, an_unknown_operation_cannot_be_cancelled) {
    EXPECT_EQ(cancel(123456), -ENOENT);
    EXPECT_EQ(cancel(123456, IORING_ASYNC_CANCEL_ALL), 0);
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_cancel_fd(sqe, 9999, 0); }), -EBADF);
}

TEST_P(RingConformance, a_cancel_has_one_kind_of_target) {
    const unsigned flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY;
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_cancel_fd(sqe, 0, flags); }), -EINVAL);
    EXPECT_EQ(cancel(1, 1 << 30), -EINVAL);
}

TEST_P(RingConformance, cancelling_by_descriptor_takes_one_or_all) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    std::array<std::uint64_t, 3> reading{};
    for (auto& id : reading)
        id = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading[2]));
    const auto cancel_fd = [&](unsigned flags) {
        return run([&](io_uring_sqe* sqe) { io_uring_prep_cancel_fd(sqe, ends[0], flags); });
    };
    EXPECT_EQ(cancel_fd(0), 0);
    EXPECT_EQ(cancel_fd(IORING_ASYNC_CANCEL_ALL), 2);
    for (const auto id : reading)
        EXPECT_EQ(result(id), -ECANCELED);
    EXPECT_EQ(cancel_fd(0), -ENOENT);
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, cancelling_any_takes_all_there_is) {
    const auto first = *system().pipe();
    const auto second = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(first[0], out);
    const auto polling = start_poll(second[0], POLLIN);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(cancel(0, IORING_ASYNC_CANCEL_ANY), 2);
    EXPECT_EQ(result(reading), -ECANCELED);
    EXPECT_EQ(result(polling), -ECANCELED);
    for (const int descriptor : {first[0], first[1], second[0], second[1]})
        close(descriptor);
}

TEST_P(RingConformance, a_cancel_that_skips_success_is_silent_and_its_target_is_not) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    const auto cancelling =
        start([&](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, reading, 0); },
              IOSQE_CQE_SKIP_SUCCESS);
    EXPECT_EQ(result(reading), -ECANCELED);
    EXPECT_TRUE(is_pending(cancelling));
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, closing_a_descriptor_cancels_nothing) {
    const auto ends = *system().pipe();
    std::array<char, 8> out{};
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(close(ends[0]), 0);
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(write(ends[1], "late"), 4);  // the parked read keeps the pipe's reading end open
    EXPECT_EQ(result(reading), 4);
    EXPECT_EQ(write(ends[1], "x"), -EPIPE);
    close(ends[1]);
}

// ---- poll ----

TEST_P(RingConformance, poll_waits_for_what_it_was_asked_for) {
    const auto ends = *system().pipe();
    EXPECT_EQ(result(start_poll(ends[1], POLLOUT)), POLLOUT);
    const auto polling = start_poll(ends[0], POLLIN);
    EXPECT_TRUE(is_pending(polling));
    EXPECT_EQ(write(ends[1], "x"), 1);
    EXPECT_EQ(result(polling), POLLIN);
    const auto hanging = start_poll(ends[0], 0);
    EXPECT_TRUE(is_pending(hanging));
    EXPECT_EQ(close(ends[1]), 0);
    EXPECT_EQ(result(hanging), POLLHUP);
    EXPECT_EQ(result(start_poll(ends[0], POLLIN)), POLLIN | POLLHUP);
    close(ends[0]);
}

TEST_P(RingConformance, poll_on_a_writer_shows_that_the_reader_is_gone) {
    const auto ends = *system().pipe();
    EXPECT_EQ(close(ends[0]), 0);
    EXPECT_EQ(result(start_poll(ends[1], POLLOUT)), POLLOUT | POLLERR);
    close(ends[1]);
}

// ---- signals ----

TEST_P(RingConformance, a_signal_is_read_from_its_descriptor) {
    const SignalSet set = signal_bit(SIGUSR1) | signal_bit(SIGUSR2);
    const int descriptor = *system().open_signals(set);
    std::array<char, sizeof(signalfd_siginfo)> out{};
    const auto reading = start_read(descriptor, out);
    EXPECT_TRUE(is_pending(reading));
    side().raise(SIGUSR2);
    EXPECT_EQ(result(reading), static_cast<int>(sizeof(signalfd_siginfo)));
    signalfd_siginfo info{};
    std::memcpy(&info, out.data(), sizeof info);
    EXPECT_EQ(info.ssi_signo, static_cast<unsigned>(SIGUSR2));
    std::array<char, 16> small{};
    EXPECT_EQ(result(start_read(descriptor, small)), -EINVAL);
    close(descriptor);
    system().unblock_signals(set);
}

TEST_P(RingConformance, a_signal_pending_twice_is_read_once) {
    const int descriptor = *system().open_signals(signal_bit(SIGUSR1));
    std::array<char, 4 * sizeof(signalfd_siginfo)> out{};
    side().raise(SIGUSR1);
    side().raise(SIGUSR1);
    EXPECT_EQ(result(start_poll(descriptor, POLLIN)), POLLIN);
    EXPECT_EQ(result(start_read(descriptor, out)), static_cast<int>(sizeof(signalfd_siginfo)));
    close(descriptor);
    system().unblock_signals(signal_bit(SIGUSR1));
}

// ---- provided buffers ----

TEST_P(RingConformance, a_read_selects_the_next_provided_buffer) {
    Buffers buffers;
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    buffers.provide(2);
    buffers.provide(1);
    const auto ends = *system().pipe();
    const auto reading = start([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); });
    EXPECT_TRUE(is_pending(reading));
    ASSERT_EQ(write(ends[1], "0123456789"), 10);
    const Completion first = completion(reading);
    EXPECT_EQ(first.result, 8);
    EXPECT_TRUE((first.flags & IORING_CQE_F_BUFFER) != 0);
    EXPECT_EQ(buffer_id(first), 2);
    EXPECT_EQ(buffers.text(2, 8), "01234567");
    const Completion second =
        completion(start([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }));
    EXPECT_EQ(second.result, 2);
    EXPECT_EQ(buffer_id(second), 1);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }), -ENOBUFS);
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_buffer_that_was_given_back_is_selected_again) {
    Buffers buffers;
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    const auto ends = *system().pipe();
    for (int round = 0; round < 10; ++round) {
        buffers.provide(3);
        ASSERT_EQ(write(ends[1], "ab"), 2);
        const Completion read =
            completion(start([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }));
        EXPECT_EQ(read.result, 2);
        EXPECT_EQ(buffer_id(read), 3);
    }
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_dry_group_gives_enobufs_even_before_there_is_data) {
    Buffers buffers;
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    const auto ends = *system().pipe();
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }), -ENOBUFS);
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }), -ENOBUFS);
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_cancelled_read_leaves_its_buffer_in_the_group) {
    Buffers buffers;
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    buffers.provide(0);
    const auto ends = *system().pipe();
    const auto reading = start([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); });
    EXPECT_TRUE(is_pending(reading));
    EXPECT_EQ(cancel(reading), 0);
    const Completion cancelled = completion(reading);
    EXPECT_EQ(cancelled.result, -ECANCELED);
    EXPECT_EQ(cancelled.flags, 0u);
    ASSERT_EQ(write(ends[1], "ab"), 2);
    const Completion read =
        completion(start([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }));
    EXPECT_EQ(read.result, 2);
    EXPECT_EQ(buffer_id(read), 0);
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    close(ends[0]);
    close(ends[1]);
}

TEST_P(RingConformance, a_read_at_the_end_uses_a_buffer_up) {
    Buffers buffers;
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    buffers.provide(1);
    const auto ends = *system().pipe();
    close(ends[1]);
    const Completion end =
        completion(start([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }));
    EXPECT_EQ(end.result, 0);
    EXPECT_TRUE((end.flags & IORING_CQE_F_BUFFER) != 0);
    EXPECT_EQ(buffer_id(end), 1);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { prepare_selecting_read(sqe, ends[0]); }), -ENOBUFS);
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    close(ends[0]);
}

TEST_P(RingConformance, a_group_is_registered_once_and_unregistered_once) {
    Buffers buffers;
    Buffers others;
    EXPECT_EQ(ring().register_buffer_ring(buffers.ring(), 3, group).error(),
              std::errc::invalid_argument);
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    EXPECT_EQ(ring().register_buffer_ring(others.ring(), 4, group).error(), std::errc::file_exists);
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    EXPECT_EQ(ring().unregister_buffer_ring(group).error(),
              is_on_kernel_before(6, 12) ? std::errc::invalid_argument
                                         : std::errc::no_such_file_or_directory);
}

TEST_P(RingConformance, only_reads_select_buffers) {
    EXPECT_EQ(run([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }, IOSQE_BUFFER_SELECT),
              -EOPNOTSUPP);
}

}  // namespace
}  // namespace ringlet
