// The ring of programs that use liburing directly; whatever fails ends the program.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <liburing.h>
#include <sys/mman.h>

namespace bench {

class Ring {
public:
    explicit Ring(unsigned entries, unsigned completions = 0) {
        io_uring_params parameters{};
        parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                           IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                           IORING_SETUP_CQSIZE;
        parameters.cq_entries = completions != 0 ? completions : 4 * entries;
        check(::io_uring_queue_init_params(entries, &ring_, &parameters), "io_uring_setup");
        check(::io_uring_register_ring_fd(&ring_), "io_uring_register_ring_fd");
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() { ::io_uring_queue_exit(&ring_); }

    io_uring* get() { return &ring_; }

    io_uring_sqe* sqe(std::uint64_t tag) {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        while (entry == nullptr) {
            check(::io_uring_submit(&ring_), "io_uring_submit");
            entry = ::io_uring_get_sqe(&ring_);
        }
        entry->user_data = tag;
        return entry;
    }

    // Whether a program that does not wait has a reason to enter the kernel.
    bool has_work() const {
        return ::io_uring_sq_ready(&ring_) != 0 ||
               (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0;
    }
    // Submits, and waits for one completion at least.
    void wait() {
        const int result = ::io_uring_submit_and_wait(&ring_, 1);
        if (result != -EINTR) check(result, "io_uring_enter");
    }
    // Hands all completions that are there to `handle`.
    template <class Handle>
    void reap(Handle handle) {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(&ring_, head, cqe) {
            handle(*cqe);
            ++count;
        }
        ::io_uring_cq_advance(&ring_, count);
    }

    static int check(int result, const char* what) {
        if (result >= 0) return result;
        std::fprintf(stderr, "%s: %s\n", what, std::strerror(-result));
        std::exit(1);
    }

private:
    io_uring ring_{};
};

// A provided buffer ring; `count` is a power of two.
class Buffers {
public:
    Buffers(Ring& ring, unsigned count, unsigned bytes, unsigned short group = 0)
        : count_(count), bytes_(bytes) {
        const std::size_t ring_bytes = count * sizeof(io_uring_buf);
        void* const memory = ::mmap(nullptr, ring_bytes + count * std::size_t{bytes},
                                    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) std::exit(1);
        ring_ = static_cast<io_uring_buf_ring*>(memory);
        data_ = static_cast<char*>(memory) + ring_bytes;
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
        registration.ring_entries = count;
        registration.bgid = group;
        Ring::check(::io_uring_register_buf_ring(ring.get(), &registration, 0),
                    "io_uring_register_buf_ring");
        ::io_uring_buf_ring_init(ring_);
        for (unsigned i = 0; i < count; ++i) give_back(i);
    }

    char* at(unsigned buffer) { return data_ + std::size_t{buffer} * bytes_; }
    void give_back(unsigned buffer) {
        ::io_uring_buf_ring_add(ring_, at(buffer), bytes_, static_cast<unsigned short>(buffer),
                                ::io_uring_buf_ring_mask(count_), 0);
        ::io_uring_buf_ring_advance(ring_, 1);
    }
    static unsigned of(const io_uring_cqe& cqe) { return cqe.flags >> IORING_CQE_BUFFER_SHIFT; }

private:
    io_uring_buf_ring* ring_;
    char* data_;
    unsigned count_;
    unsigned bytes_;
};

}  // namespace bench
