// The smallest program: a wait of 1 ms in the ring, and a line.
#include <cstdio>

#include <liburing.h>

int main() {
    io_uring ring;
    if (::io_uring_queue_init(4, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) <
        0) {
        return 1;
    }
    __kernel_timespec limit{.tv_sec = 0, .tv_nsec = 1'000'000};
    io_uring_cqe* cqe = nullptr;
    ::io_uring_submit_and_wait_timeout(&ring, &cqe, 1, &limit, nullptr);
    std::puts("hello");
}
