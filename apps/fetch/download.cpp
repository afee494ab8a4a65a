// Attempts.
#include <download.hpp>

#include <rows.hpp>

#include <ringlet/flow/with.hpp>

namespace fetch {

using namespace std::chrono_literals;
using ringlet::Task;
namespace http = ringlet::http;

namespace {

constinit http::Storage<http::Limits{.connections = concurrency_max,
                                     .connections_per_host = per_host_max,
                                     .redirects = 10,
                                     .url_bytes = url_bytes_max,
                                     .buffer_bytes = url_bytes_max + 2048}>
    storage;

bool is_passing_status(unsigned status) {
    switch (status) {
        case 408:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504: return true;
        default: return false;
    }
}

}  // namespace

bool is_passing(ringlet::Error error) {
    switch (http::kind_of(error)) {
        case http::Kind::status: return is_passing_status(http::status_of(error));
        case http::Kind::timeout: return true;
        case http::Kind::transport:
        case http::Kind::name: return ringlet::is_transient(error);
        default: return false;  // also the file's: a second attempt would meet the same disk
    }
}

Downloads::Downloads(const Settings& settings)
    : settings_(settings),
      client_(storage, {.resolver = &names_.resolver(),
                        .connections_per_host = settings.per_host,
                        .timeouts = http::Timeouts::in_all(settings.timeout),
                        .user_agent = "ringlet-fetch"}) {}

Task<void> Downloads::get(Job& job) {
    const ringlet::RetryPolicy policy{.attempts = settings_.retries + 1,
                                      .first_delay = 200ms,
                                      .delay_max = 10s,
                                      .retries = is_passing,
                                      .progress = &job.progress};
    co_await ringlet::retry(policy, [&](ringlet::RetryProgress& progress) {
        return try_once(job, progress);
    });
}

Task<void> Downloads::try_once(Job& job, ringlet::RetryProgress& progress) {
    job.status = 0;
    job.bytes = 0;
    const auto url = co_await http::parse_url(job.url);
    co_await names_.ready_for(url);
    const http::Request request{.url = job.url,
                                .body_bytes_max = settings_.max_body,
                                .time_in_line = &job.in_line};
    auto response = co_await client_.send(request);
    job.status = response.status();
    if (!response.is_success()) {
        progress.pause_min =
            http::retry_after(response.header("retry-after"), retry_after_max);
        co_await ringlet::fail(http::status_error(job.status));
    }
    if (job.path.size() == 0) co_return co_await drop(job, response);
    co_await save(job, response);
}

// Empty at the end.
Task<std::span<const std::byte>> Downloads::read(Job& job, http::Response& response) {
    const std::size_t count = co_await response.read(job.buffer);
    job.bytes += count;
    co_return job.buffer.first(count);
}

Task<void> Downloads::drop(Job& job, http::Response& response) {
    for (;;) {
        const auto piece = co_await read(job, response);
        if (piece.empty()) co_return;
    }
}

Task<void> Downloads::save(Job& job, http::Response& response) {
    co_await ringlet::with(ringlet::AtomicFile::open(job.path.c_str()),
                           [&](ringlet::AtomicFile& file) -> Task<void> {
                               for (;;) {
                                   const auto piece = co_await read(job, response);
                                   if (piece.empty()) break;
                                   co_await file.write_all(piece);
                               }
                               response.release();  // the disk may take its time
                               co_await file.commit();
                           });
}

}  // namespace fetch
