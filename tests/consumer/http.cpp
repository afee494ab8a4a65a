// Uses the http driver, and through it dns. Nobody listens: the exit status is 7 if it says so.
#include <ringlet/dns/resolver.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/ringlet.hpp>

static ringlet::dns::Storage<ringlet::dns::Limits{}> names;
static ringlet::http::Storage<ringlet::http::Limits{.connections = 1}> connections;

static ringlet::Task<int> app() {
    ringlet::dns::Resolver resolver(names);
    ringlet::http::Client client(connections, {.resolver = &resolver});
    const auto response = co_await ringlet::attempt(client.get("http://localhost:1/"));
    const bool refused = !response && response.error() == std::errc::connection_refused;
    co_return refused ? 7 : 1;
}

int main() {
    return ringlet::run(app);
}
