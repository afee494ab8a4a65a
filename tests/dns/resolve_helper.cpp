// resolve_helper PORT NAME [4|6]: asks the server at that port of this machine for a name, and logs
// the addresses, how many questions it took, or the error.
#include <ringlet/dns/resolver.hpp>
#include <ringlet/ringlet.hpp>

#include <cstdlib>
#include <string_view>

using namespace ringlet;

namespace {

dns::Storage<dns::Limits{}> storage;

dns::Family family_of(std::string_view word) {
    if (word == "4") return dns::Family::v4;
    return word == "6" ? dns::Family::v6 : dns::Family::any;
}

Task<void> app(std::uint16_t port, std::string_view name, dns::Family family) {
    const SocketAddress server = loopback_address(port);
    dns::Options options;
    options.resolv_conf = options.hosts = nullptr;
    options.servers = {&server, 1};
    dns::Resolver resolver(storage, options);
    const auto found = co_await resolver.resolve(name, family);
    for (const dns::IpAddress& each : found) log::info("%s", text(each.with_port(0)).c_str());
    const auto again = co_await resolver.resolve(name, family);
    log::info("%zu addresses, %llu questions", again.size(),
              static_cast<unsigned long long>(resolver.questions()));
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) return 64;
    const auto port = static_cast<std::uint16_t>(std::strtoul(words[1], nullptr, 10));
    return run(app, port, std::string_view(words[2]), family_of(count > 3 ? words[3] : ""));
}
