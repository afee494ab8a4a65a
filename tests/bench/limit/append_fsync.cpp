// Write and fsync by hand, linked: one submission and wait for both.
#include "files.hpp"
#include "measure.hpp"
#include "ring.hpp"

namespace {

enum Mode { linked, one_by_one, synced_write };

class Appender {
public:
    Appender(int file, Mode mode) : mode_(mode) {
        bench::Ring::check(::io_uring_register_files(ring_.get(), &file, 1),
                           "io_uring_register_files");
    }

    void run(std::int64_t times) {
        for (; times > 0; --times) {
            const bench::Nanoseconds begin = bench::now();
            append();
            latencies.add(bench::now() - begin);
        }
    }

    bench::Latencies latencies;

private:
    void append() {
        io_uring_sqe* const write = ring_.sqe(0);
        ::io_uring_prep_write(write, 0, block_.bytes, bench::Offsets::block, offset_);
        write->flags = IOSQE_FIXED_FILE;
        if (mode_ == synced_write) write->rw_flags = RWF_SYNC;
        if (mode_ == linked) write->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
        if (mode_ == one_by_one) await();
        offset_ += bench::Offsets::block;
        if (mode_ != synced_write) {
            io_uring_sqe* const sync = ring_.sqe(0);
            ::io_uring_prep_fsync(sync, 0, 0);
            sync->flags = IOSQE_FIXED_FILE;
        }
        await();
    }
    // A write that is short breaks the link, and both post a completion.
    void await() {
        bool ended = false;
        while (!ended) {
            ring_.wait();
            ring_.reap([&](const io_uring_cqe& cqe) {
                bench::Ring::check(cqe.res, "append");
                ended = true;
            });
        }
    }

    bench::Ring ring_{8};
    bench::Block block_{};
    Mode mode_;
    std::uint64_t offset_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const int file =
        bench::open_or_exit(arguments.text("path", "bench.log"), O_WRONLY | O_CREAT | O_TRUNC);
    Appender appender(file, static_cast<Mode>(arguments.number("mode", linked)));
    bench::measure("append_fsync", "limit", arguments.number("ops", 2000), &appender.latencies,
                   [&](std::int64_t times) { appender.run(times); });
}
