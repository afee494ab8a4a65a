// The calls behind SimulatedSystem: each answers as its manual page says.
#include <ringlet/testing/simulated_system.hpp>

#include <ringlet/testing/messages.hpp>
#include <ringlet/testing/replay.hpp>
#include <ringlet/testing/socket_names.hpp>

#include <cstdlib>

namespace ringlet::testing {
namespace {

std::unexpected<Error> failure(int error) {
    return std::unexpected(Error::kernel(-error));
}

Result<void> checked(int result) {
    if (result < 0) return failure(result);
    return {};
}

Result<int> number(int result) {
    if (result < 0) return failure(result);
    return result;
}

}  // namespace

SimulatedSystem::SimulatedSystem(World& world)
    : world_(world), workers_(world), random_(~world.options().seed) {}

Result<Socket*> SimulatedSystem::socket_at(int descriptor) {
    Object* object = world_.descriptors().at(descriptor);
    if (object == nullptr) return failure(-EBADF);
    if (object->as_socket() == nullptr) return failure(-ENOTSOCK);
    return object->as_socket();
}

Result<int> SimulatedSystem::socket(int family, int type, int protocol) {
    return number(world_.open_socket(family, type, protocol));
}

Result<void> SimulatedSystem::bind(int descriptor, const SocketAddress& address) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    if ((*socket)->is_unix() && !world_.has_power()) return failure(-EIO);  // it makes a name
    return checked(world_.network().bind(**socket, address));
}

Result<void> SimulatedSystem::listen(int descriptor, int backlog) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    return checked(world_.network().listen(**socket, backlog));
}

Result<void> SimulatedSystem::set_option(int descriptor, int level, int name, int value) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    return checked(world_.network().set_option(**socket, level, name, value));
}

Result<void> SimulatedSystem::set_option_bytes(int descriptor, int level, int name,
                                               std::span<const std::byte> value) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    CanSocket* const can = (*socket)->as_can();
    return checked(can == nullptr ? -ENOPROTOOPT : can->set_option_bytes(level, name, value));
}

Result<int> SimulatedSystem::get_option(int descriptor, int level, int name) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    int value = 0;
    const int error = world_.network().get_option(**socket, level, name, value);
    if (error != 0) return failure(error);
    return value;
}

// A socket without a name has the empty one of its family.
Result<SocketAddress> SimulatedSystem::local_address(int descriptor) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    const Socket& it = **socket;
    if (it.local.size != 0) return it.local;
    if (it.is_unix()) return nameless_unix();
    return internet_address(it.family(), false, 0);
}

Result<SocketAddress> SimulatedSystem::peer_address(int descriptor) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    const Socket& it = **socket;
    if (it.has_peer()) return it.remote;
    return failure(-ENOTCONN);
}

Result<std::size_t> SimulatedSystem::receive_now(int descriptor, msghdr& header) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    const msghdr asked = header;
    const int size =
        receive_message(world_.descriptors(), **socket, header, asked, MSG_DONTWAIT);
    if (size < 0) return failure(size);
    return static_cast<std::size_t>(size);
}

Result<PeerCredentials> SimulatedSystem::peer_credentials(int descriptor) {
    const auto socket = socket_at(descriptor);
    if (!socket) return std::unexpected(socket.error());
    constexpr auto nobody = static_cast<unsigned>(-1);
    const Socket& it = **socket;
    // Unix datagrams and what is not connected have a peer nobody knows; so has TCP. A listener
    // has itself.
    const bool has_peer = it.remote.size != 0 || it.is_listening();
    const bool known = it.is_unix() && it.type() == SOCK_STREAM && has_peer;
    if (!known) return PeerCredentials{.process = 0, .user = nobody, .group = nobody};
    return PeerCredentials{.process = 1, .user = 0, .group = 0};
}

Result<std::array<int, 2>> SimulatedSystem::pipe() {
    std::array<int, 2> ends{};
    const int error = world_.open_pipe(ends);
    if (error != 0) return failure(error);
    return ends;
}

Result<int> SimulatedSystem::open_signals(SignalSet signals) {
    return number(world_.open_signals(signals));
}

Result<int> SimulatedSystem::open_waker() {
    return number(world_.open_waker());
}

void SimulatedSystem::wake(int waker) {
    Object* const object = world_.descriptors().at(waker);
    RINGLET_ASSERT(object != nullptr);
    const std::uint64_t one = 1;
    object->write(std::as_bytes(std::span(&one, 1)), at_position);
}

Result<void> SimulatedSystem::set_permissions(int descriptor, unsigned permissions) {
    Object* const object = world_.descriptors().at(descriptor);
    OpenFile* const file = object != nullptr ? object->as_file() : nullptr;
    if (file == nullptr) return failure(object == nullptr ? -EBADF : -EINVAL);
    if (!world_.has_power()) return failure(-EIO);
    world_.files().set_permissions(file->node(), permissions);
    return {};
}

bool SimulatedSystem::is_terminal(int descriptor) {
    Object* object = world_.descriptors().at(descriptor);
    if (object == nullptr || !S_ISCHR(object->mode())) return false;
    return object->as_terminal() != nullptr || world_.options().terminal_columns != 0;
}

Result<void> SimulatedSystem::make_raw(int descriptor) {
    Object* object = world_.descriptors().at(descriptor);
    if (object == nullptr) return failure(-EBADF);
    if (!is_terminal(descriptor)) return failure(-ENOTTY);
    if (object->as_terminal() != nullptr) object->as_terminal()->port.make_raw();
    return {};
}

int SimulatedSystem::terminal_columns(int descriptor) {
    const int columns = world_.options().terminal_columns;
    return is_terminal(descriptor) && columns != 0 ? columns : 80;
}

Result<int> SimulatedSystem::control(int descriptor, unsigned long request,
                                     std::uintptr_t argument) {
    Object* const object = world_.descriptors().at(descriptor);
    if (object == nullptr) return failure(-EBADF);
    return number(object->control(request, argument));
}

void SimulatedSystem::random(std::span<std::byte> out) {
    for (std::byte& byte : out)
        byte = static_cast<std::byte>(random_.next());
}

void SimulatedSystem::write_error(std::string_view words) {
    world_.standard_error().write(std::as_bytes(std::span(words)), at_position);
}

void SimulatedSystem::exit_now(int status) {
    emergency_write(world_.written(2));
    print_last_words();
    std::_Exit(status);
}

}  // namespace ringlet::testing
