// Downloads: one URL with all its attempts, and where its body goes.
#pragma once

#include <names.hpp>
#include <settings.hpp>

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/flow/retry.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/io/atomic_file.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace fetch {

// One URL's, while it is worked on.
struct Job {
    Job(std::string_view what, std::span<std::byte> room) : url(what), buffer(room) {}

    std::string_view file() const { return path.view().substr(name_at); }

    std::string_view url;
    std::span<std::byte> buffer;  // for the body, piece by piece
    ringlet::FixedText<ringlet::AtomicFile::path_bytes_max + 1> path;  // of its file
    std::size_t name_at = 0;  // in the path
    ringlet::RetryProgress progress;
    ringlet::Nanoseconds in_line{0};  // all attempts' waits for a connection
    // Of the last attempt.
    unsigned status = 0;  // 0: no response
    std::uint64_t bytes = 0;
};

class Downloads {
public:
    // Inside run(), one at a time. The settings outlive it.
    explicit Downloads(const Settings& settings);

    // GETs job.url until it is had, or an error is not worth, or does not get, another attempt. Its
    // body is in job.path then, if that is not empty.
    //
    // Errors: the client's, a status among them; the kernel's and AtomicFile's of the file.
    // Cancellation: the connection is closed; the file is as it was before.
    ringlet::Task<void> get(Job& job);

    const ringlet::http::PoolCounters& connections() const { return client_.counters(); }

private:
    ringlet::Task<void> try_once(Job& job, ringlet::RetryProgress& progress);
    ringlet::Task<void> drop(Job& job, ringlet::http::Response& response);
    ringlet::Task<void> save(Job& job, ringlet::http::Response& response);
    ringlet::Task<std::span<const std::byte>> read(Job& job, ringlet::http::Response& response);

    const Settings& settings_;
    Names names_;
    ringlet::http::Client client_;
};

// No server's Retry-After makes a pause longer.
inline constexpr std::chrono::seconds retry_after_max{60};

// Whether an error may be gone if the same is asked again a little later.
bool is_passing(ringlet::Error error);

}  // namespace fetch
