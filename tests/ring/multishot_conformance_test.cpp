// The multishot receive: one SQE, a completion for each arrival, in provided buffers. On both.
#include "ring/conformance.hpp"

namespace ringlet {
namespace {

class MultishotConformance : public Conformance {
protected:
    void SetUp() override {
        Conformance::SetUp();
        if (IsSkipped()) return;
        const int listener = *system().socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_TRUE(system().listen(listener, 1));
        const SocketAddress name = *system().local_address(listener);
        client = *system().socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_EQ(run([&](io_uring_sqe* sqe) {
                      io_uring_prep_connect(sqe, client, name.get(), name.size);
                  }),
                  0);
        server = run([&](io_uring_sqe* sqe) {
            io_uring_prep_accept(sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
        });
        ASSERT_GE(server, 0);
        close(listener);
        ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    }
    void TearDown() override {
        if (IsSkipped()) return;
        if (client >= 0) close(client);
        if (server >= 0) close(server);
        EXPECT_TRUE(ring().unregister_buffer_ring(group));
    }

    std::uint64_t arm(int descriptor) {
        return start([&](io_uring_sqe* sqe) { prepare_receive(sqe, descriptor, 0); });
    }
    static void prepare_receive(io_uring_sqe* sqe, int descriptor, int flags) {
        io_uring_prep_recv_multishot(sqe, descriptor, nullptr, 0, flags);
        sqe->flags = IOSQE_BUFFER_SELECT;
        sqe->buf_group = group;
    }
    static bool goes_on(const Completion& completion) {
        return (completion.flags & IORING_CQE_F_MORE) != 0;
    }
    static bool has_buffer(const Completion& completion) {
        return (completion.flags & IORING_CQE_F_BUFFER) != 0;
    }
    // What the next completion brought; it must be one that goes on.
    std::string next(std::uint64_t receiving) {
        const Completion shot = completion(receiving);
        EXPECT_TRUE(goes_on(shot) && has_buffer(shot)) << shot.result;
        if (!has_buffer(shot) || shot.result <= 0) return {};
        return std::string(buffers.text(buffer_id(shot), shot.result));
    }
    // The result of the last completion, which has no buffer.
    int last(std::uint64_t receiving) {
        const Completion end = completion(receiving);
        EXPECT_FALSE(goes_on(end));
        EXPECT_FALSE(has_buffer(end));
        return end.result;
    }
    void provide(unsigned short count) {
        for (unsigned short id = 0; id < count; ++id)
            buffers.provide(id);
    }

    Buffers buffers;
    int client = -1;
    int server = -1;
};
INSTANTIATE_TEST_SUITE_P(On, MultishotConformance, ::testing::Values(On::kernel, On::simulation),
                         side_name);

TEST_P(MultishotConformance, each_arrival_completes_it_and_it_stays_armed) {
    provide(4);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(send(client, "abc"), 3);
    EXPECT_EQ(next(receiving), "abc");
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(send(client, "de"), 2);
    EXPECT_EQ(next(receiving), "de");
    ASSERT_EQ(shutdown(client, SHUT_WR), 0);
    EXPECT_EQ(last(receiving), 0);
}

TEST_P(MultishotConformance, what_is_there_already_comes_at_once) {
    provide(4);
    ASSERT_EQ(send(client, "abc"), 3);
    const auto receiving = arm(server);
    EXPECT_EQ(next(receiving), "abc");
    EXPECT_EQ(cancel(receiving), 0);
    EXPECT_EQ(last(receiving), -ECANCELED);
}

TEST_P(MultishotConformance, what_is_longer_than_a_buffer_fills_several_in_order) {
    provide(4);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(send(client, "0123456789abcdefXYZ"), 19);
    EXPECT_EQ(next(receiving), "01234567");
    EXPECT_EQ(next(receiving), "89abcdef");
    EXPECT_EQ(next(receiving), "XYZ");
    ASSERT_EQ(shutdown(client, SHUT_WR), 0);
    EXPECT_EQ(last(receiving), 0);
}

TEST_P(MultishotConformance, a_dry_group_ends_it_and_nothing_is_lost) {
    if (is_on_kernel_before(6, 12)) GTEST_SKIP() << "6.1 wants a free buffer before it parks";
    EXPECT_EQ(last(arm(server)), -ENOBUFS);
    provide(1);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(send(client, "ab"), 2);
    EXPECT_EQ(next(receiving), "ab");
    ASSERT_EQ(send(client, "cd"), 2);
    EXPECT_EQ(last(receiving), -ENOBUFS);
    buffers.provide(3);
    const auto again = arm(server);
    EXPECT_EQ(next(again), "cd");
    buffers.provide(2);
    ASSERT_EQ(shutdown(client, SHUT_WR), 0);
    EXPECT_EQ(last(again), 0);
}

TEST_P(MultishotConformance, cancelled_it_ends_and_leaves_its_buffer) {
    if (is_on_kernel_before(6, 12)) GTEST_SKIP() << "6.1 wants a free buffer before it parks";
    provide(1);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(cancel(receiving), 0);
    EXPECT_EQ(last(receiving), -ECANCELED);
    EXPECT_EQ(cancel(receiving), -ENOENT);
    ASSERT_EQ(send(client, "ab"), 2);
    const auto again = arm(server);
    EXPECT_EQ(next(again), "ab");
    EXPECT_EQ(cancel(again), 0);
    EXPECT_EQ(last(again), -ECANCELED);
}

TEST_P(MultishotConformance, an_error_ends_it) {
    provide(2);
    ASSERT_EQ(send(server, "unread"), 6);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(close(client), 0);  // over unread bytes: a reset
    client = -1;
    EXPECT_EQ(last(receiving), -ECONNRESET);
}

TEST_P(MultishotConformance, closing_its_descriptor_does_not_end_it) {
    provide(2);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(close(server), 0);
    server = -1;
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(send(client, "ab"), 2);
    EXPECT_EQ(next(receiving), "ab");
    ASSERT_EQ(shutdown(client, SHUT_WR), 0);
    EXPECT_EQ(last(receiving), 0);
}

TEST_P(MultishotConformance, each_datagram_completes_it) {
    provide(4);
    const int to = *system().socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_TRUE(system().bind(to, loopback(0)));
    const SocketAddress name = *system().local_address(to);
    const int from = *system().socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_EQ(
        run([&](io_uring_sqe* sqe) { io_uring_prep_connect(sqe, from, name.get(), name.size); }),
        0);
    const auto receiving = arm(to);
    EXPECT_TRUE(is_pending(receiving));
    ASSERT_EQ(send(from, "one"), 3);
    ASSERT_EQ(send(from, "twotwotwo"), 9);
    EXPECT_EQ(next(receiving), "one");
    EXPECT_EQ(next(receiving), "twotwotw");  // a buffer's size; the rest is lost
    EXPECT_EQ(cancel(receiving), 0);
    EXPECT_EQ(last(receiving), -ECANCELED);
    close(to);
    close(from);
}

// With 64 completions there is no room for one more: it ends early, and says so.
TEST_P(MultishotConformance, a_full_completion_queue_ends_it_early) {
    provide(4);
    const auto receiving = arm(server);
    EXPECT_TRUE(is_pending(receiving));
    for (int i = 0; i < 64; ++i)
        start([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); });
    start([&](io_uring_sqe* sqe) { io_uring_prep_send(sqe, client, "ab", 2, MSG_NOSIGNAL); },
          IOSQE_CQE_SKIP_SUCCESS);
    ring().enter(Ring::Wait::no, Nanoseconds(0));
    std::vector<Completion> all;
    for (int tries = 0; tries < 100 && (all.empty() || all.back().user_data != receiving);
         ++tries) {
        std::array<Completion, 64> some;
        const std::size_t count = ring().reap(some);
        all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
        ring().enter(Ring::Wait::for_one, std::chrono::milliseconds(20));
    }
    ASSERT_EQ(all.size(), 65u);
    const Completion end = all.back();
    EXPECT_EQ(end.user_data, receiving);
    EXPECT_EQ(end.result, 2);
    EXPECT_FALSE(goes_on(end));
    ASSERT_TRUE(has_buffer(end));
    EXPECT_EQ(buffers.text(buffer_id(end), 2), "ab");
    for (int* descriptor : {&client, &server})
        system().close(std::exchange(*descriptor, -1));  // the ring remembers its overflow
}

TEST_P(MultishotConformance, it_wants_provided_buffers_and_may_not_wait_for_all) {
    provide(1);
    const auto with = [&](auto change) {
        return run([&](io_uring_sqe* sqe) {
            prepare_receive(sqe, server, 0);
            change(*sqe);
        });
    };
    EXPECT_EQ(with([](io_uring_sqe& sqe) { sqe.flags = 0; }), -EINVAL);
    EXPECT_EQ(with([](io_uring_sqe& sqe) { sqe.msg_flags = MSG_WAITALL; }), -EINVAL);
}

}  // namespace
}  // namespace ringlet
