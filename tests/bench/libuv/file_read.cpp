// In libuv's pool of threads, which has 4 unless UV_THREADPOOL_SIZE says otherwise.
#include <memory>
#include <vector>

#include "../common/files.hpp"
#include "libuv.hpp"

using namespace bench;

struct Reads {
    int file;
    Offsets offsets;
    Latencies latencies;
    std::int64_t left;
};

struct Reader {
    uv_fs_t request{};
    Reads* reads = nullptr;
    std::unique_ptr<Block> block = std::make_unique<Block>();
    Nanoseconds begin = 0;
};

static void on_read(uv_fs_t* request);

static void read_next(uv_loop_t* loop, Reader& reader) {
    if (reader.reads->left-- <= 0) return;
    const uv_buf_t buffer = uv_buf_init(reader.block->bytes, sizeof reader.block->bytes);
    reader.begin = now();
    check(uv_fs_read(loop, &reader.request, reader.reads->file, &buffer, 1,
                     reader.reads->offsets.next(), on_read));
}

static void on_read(uv_fs_t* request) {
    Reader& reader = owner<Reader>(request);
    check(static_cast<int>(request->result));
    reader.reads->latencies.add(now() - reader.begin);
    uv_fs_req_cleanup(request);
    read_next(request->loop, reader);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const char* const path = arguments.text("path", "bench.data");
    const int direct = arguments.number("direct", 0) != 0 ? O_DIRECT : 0;
    Reads reads{open_or_exit(path, O_RDONLY | direct), Offsets(file_bytes(path)), Latencies(), 0};
    std::vector<Reader> readers(reads_under_way);
    measure("file_read", arguments.number("ops", 200'000), &reads.latencies,
            [&](uv_loop_t* loop, std::int64_t ops) {
                reads.left = ops;
                for (Reader& reader : readers) {
                    reader.reads = &reads;
                    reader.request.data = &reader;
                    read_next(loop, reader);
                }
            });
}
