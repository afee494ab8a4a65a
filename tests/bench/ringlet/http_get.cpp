// GETs of a small document, many under way. Whether a connection is kept is the server's to say.
#include "coroutines.hpp"

#include <ringlet/http/client.hpp>

#include <cinttypes>

using namespace ringlet;

namespace {

constexpr unsigned requests_under_way = 32;
constexpr Limits limits{.frames = {{128, 1024}, {256, 1024}, {512, 512}, {1024, 512}, {2048, 64}}};
Runtime<limits> runtime;
http::Storage<http::Limits{.connections = requests_under_way,
                           .connections_per_host = requests_under_way}> storage;
std::array<std::byte, 2048> bodies[requests_under_way];
struct Getting {
    http::Client& client;
    char url[64];
    bench::Latencies latencies;
    std::int64_t left = 0;
};

Task<void> get_often(Getting& getting, std::span<std::byte> body) {
    while (getting.left-- > 0) {
        const bench::Nanoseconds begin = bench::now();
        auto response =
            co_await getting.client.send({.url = getting.url, .require_success = true});
        co_await response.read_all(body);
        getting.latencies.add(bench::now() - begin);
    }
}

Task<void> app(const bench::Arguments& arguments) {
    http::Client client(storage);
    Getting getting{client, {}, bench::Latencies()};
    std::snprintf(getting.url, sizeof getting.url, "http://127.0.0.1:%" PRId64 "%s",
                  arguments.number("port", 80), arguments.text("target", "/"));
    const auto work = [&](std::int64_t ops) -> Task<void> {
        getting.left = ops;
        const auto body = [&](TaskGroup& group) -> Task<void> {
            for (auto& each : bodies) group.spawn(get_often, std::ref(getting), std::span(each));
            co_return;
        };
        co_await TaskGroup::run(body);
    };
    co_await bench::measure("http_get", arguments.number("ops", 50'000), work,
                            &getting.latencies);
}

}  // namespace

int main(int count, char** values) {
    return runtime.run(app, bench::Arguments(count, values));
}
