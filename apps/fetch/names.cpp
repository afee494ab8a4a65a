// The resolver's memory, and its loading.
#include <names.hpp>

#include <ringlet/http/error.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/task/attempt.hpp>

namespace fetch {

namespace dns = ringlet::dns;
namespace http = ringlet::http;

namespace {

// A question takes two turns, IPv4 and IPv6; most names have been asked for before.
constinit dns::Storage<dns::Limits{.queries = 8, .cache = 64}> storage;

}  // namespace

Names::Names() : resolver_(storage) {}

ringlet::Task<void> Names::ready_for(const http::Url& url) {
    if (loaded_) co_return;
    const auto guard = co_await loading_.lock();
    if (loaded_) co_return;
    const auto read = co_await ringlet::attempt(resolver_.load());
    loaded_ = read.has_value();
    if (read || ringlet::parse_address(url.host, url.port)) co_return;
    co_await ringlet::fail(http::error_at(http::Step::resolve, read.error()));
}

}  // namespace fetch
