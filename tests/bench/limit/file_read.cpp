// Random reads by hand: one registered file, registered buffers, one submission and wait a turn.
#include "files.hpp"
#include "measure.hpp"
#include "ring.hpp"

namespace {

class Reader {
public:
    Reader(int file, std::int64_t bytes, bool submits_at_once, bool is_registered)
        : offsets_(bytes), file_(file), submits_at_once_(submits_at_once),
          is_registered_(is_registered) {
        iovec vectors[bench::reads_under_way];
        for (int i = 0; i < bench::reads_under_way; ++i) {
            vectors[i] = {.iov_base = blocks_[i].bytes, .iov_len = sizeof blocks_[i].bytes};
        }
        bench::Ring::check(
            ::io_uring_register_buffers(ring_.get(), vectors, bench::reads_under_way),
            "io_uring_register_buffers");
        bench::Ring::check(::io_uring_register_files(ring_.get(), &file, 1),
                           "io_uring_register_files");
    }

    void run(std::int64_t reads) {
        to_begin_ = reads;
        to_end_ = reads;
        for (unsigned i = 0; i < bench::reads_under_way; ++i) begin(i);
        while (to_end_ > 0) {
            ring_.wait();
            ring_.reap([this](const io_uring_cqe& cqe) { end(cqe); });
        }
    }

    bench::Latencies latencies;

private:
    void begin(unsigned index) {
        if (to_begin_ == 0) return;
        --to_begin_;
        const auto offset = static_cast<std::uint64_t>(offsets_.next());
        begun_[index] = bench::now();
        io_uring_sqe* const sqe = ring_.sqe(0);
        if (is_registered_) {
            ::io_uring_prep_read_fixed(sqe, 0, blocks_[index].bytes, bench::Offsets::block, offset,
                                       static_cast<int>(index));
            sqe->flags = IOSQE_FIXED_FILE;
        } else {
            ::io_uring_prep_read(sqe, file_, blocks_[index].bytes, bench::Offsets::block, offset);
        }
        sqe->user_data = index;
        if (submits_at_once_) bench::Ring::check(::io_uring_submit(ring_.get()), "io_uring_submit");
    }

    void end(const io_uring_cqe& cqe) {
        bench::Ring::check(cqe.res, "read");
        if (cqe.res != bench::Offsets::block) {
            std::fprintf(stderr, "a short read\n");
            std::exit(1);
        }
        const auto index = static_cast<unsigned>(cqe.user_data);
        latencies.add(bench::now() - begun_[index]);
        --to_end_;
        begin(index);
    }

    bench::Ring ring_{bench::reads_under_way};
    bench::Block blocks_[bench::reads_under_way];
    bench::Nanoseconds begun_[bench::reads_under_way] = {};
    bench::Offsets offsets_;
    int file_;
    bool submits_at_once_;
    bool is_registered_;
    std::int64_t to_begin_ = 0;
    std::int64_t to_end_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const char* const path = arguments.text("path", "bench.data");
    const bool direct = arguments.number("direct", 0) != 0;
    const int file = bench::open_or_exit(path, O_RDONLY | (direct ? O_DIRECT : 0));
    static Reader reader(file, bench::file_bytes(path), arguments.number("at_once", 0) != 0,
                         arguments.number("registered", 1) != 0);
    bench::measure("file_read", "limit", arguments.number("ops", 200'000), &reader.latencies,
                   [](std::int64_t reads) { reader.run(reads); });
}
