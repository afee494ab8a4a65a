// Whether a name is stale is asked with a datagram socket's connect, which neither waits nor
// bothers anybody: connection_refused if no socket has the name, no matter of which type.
#include <ringlet/io/unix_name.hpp>

#include <ringlet/io/file_system.hpp>
#include <ringlet/io/socket.hpp>
#include <ringlet/task/attempt.hpp>

#include <sys/un.h>

#include <array>
#include <cstring>

namespace ringlet {
namespace {

using Path = std::array<char, sizeof(sockaddr_un::sun_path) + 1>;

// Empty if the name is no file.
Path path_of(const SocketAddress& address) {
    Path path{};
    sockaddr_un name{};
    const std::size_t start = offsetof(sockaddr_un, sun_path);
    std::memcpy(&name, &address.storage, sizeof name);
    if (address.size > start) std::memcpy(path.data(), name.sun_path, address.size - start);
    return path;
}

Task<bool> is_stale(const char* path, const SocketAddress& address) {
    const auto status = co_await attempt(status_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW));
    if (!status || status->kind != FileKind::socket) co_return false;
    const Descriptor probe = co_await open_socket(AF_UNIX, SOCK_DGRAM);
    const auto connected = co_await attempt(ConnectOperation(probe.get(), address));
    co_return !connected && connected.error() == std::errc::connection_refused;
}

}  // namespace

Task<void> bind_unix(int descriptor, const SocketAddress& address, UnixNameOptions options) {
    if (address.storage.ss_family != AF_UNIX || address.size > sizeof(sockaddr_un)) {
        co_await fail(std::errc::invalid_argument);
    }
    System& system = scheduler().system();
    const auto bound = system.bind(descriptor, address);
    if (bound) co_return;
    const Path path = path_of(address);
    const bool in_use = bound.error() == std::errc::address_in_use;
    if (!in_use || path[0] == '\0' || !options.replace_stale) co_await fail(bound.error());
    const bool stale = co_await is_stale(path.data(), address);
    if (!stale) co_await fail(bound.error());
    co_await remove_file(path.data());
    co_await system.bind(descriptor, address);
}

}  // namespace ringlet
