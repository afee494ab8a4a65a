// Who shares a host with whom.
#include <turns.hpp>

#include <algorithm>

namespace fetch {

SharedHost& Turns::find(const ringlet::http::HostKey& key) {
    SharedHost* unused = nullptr;
    for (SharedHost& each : hosts_) {
        if (each.users == 0) {
            unused = &each;
        } else if (each.key() == key) {
            return each;
        }
    }
    RINGLET_ASSERT(unused != nullptr && key.host.size() <= unused->name.size());
    std::ranges::copy(key.host, unused->name.begin());
    unused->name_bytes = key.host.size();
    unused->port = key.port;
    unused->permits.emplace(per_host_);
    return *unused;
}

ringlet::Task<Turn> Turns::take(ringlet::http::HostKey key) {
    HostUse use(find(key));
    auto permit = co_await use.permits().acquire();
    co_return Turn(std::move(use), std::move(permit));
}

}  // namespace fetch
