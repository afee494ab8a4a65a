#include "../common/files.hpp"
#include "libuv.hpp"

using namespace bench;

struct Log {
    uv_fs_t request;
    int file;
    Block block;
    Latencies latencies;
    Nanoseconds begin;
    std::int64_t left;
};

static void append(uv_loop_t* loop, Log& log);

static void on_synced(uv_fs_t* request) {
    Log& log = owner<Log>(request);
    check(static_cast<int>(request->result));
    uv_fs_req_cleanup(request);
    log.latencies.add(now() - log.begin);
    if (--log.left > 0) append(request->loop, log);
}

static void on_written(uv_fs_t* request) {
    Log& log = owner<Log>(request);
    check(static_cast<int>(request->result));
    uv_fs_req_cleanup(request);
    check(uv_fs_fsync(request->loop, request, log.file, on_synced));
}

static void append(uv_loop_t* loop, Log& log) {
    const uv_buf_t buffer = uv_buf_init(log.block.bytes, sizeof log.block.bytes);
    log.begin = now();
    check(uv_fs_write(loop, &log.request, log.file, &buffer, 1, -1, on_written));
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const char* const path = arguments.text("path", "bench.log");
    Log log{.latencies = Latencies()};
    log.file = open_or_exit(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
    log.request.data = &log;
    measure("append_fsync", arguments.number("ops", 2000), &log.latencies,
            [&](uv_loop_t* loop, std::int64_t ops) {
                log.left = ops;
                append(loop, log);
            });
}
