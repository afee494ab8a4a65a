// TCP echo by hand with epoll, for information.
#include "bench.hpp"
#include "sockets.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace {

void watch(int epoll, int descriptor) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
    bench::check(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

void accept_all(int epoll, int listener) {
    for (;;) {
        const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0) return;
        watch(epoll, socket);
    }
}

// One read for each event: level triggered, so what is left comes back.
void echo(int socket) {
    char buffer[256];
    const ssize_t length = ::recv(socket, buffer, sizeof buffer, 0);
    if (length < 0 && errno == EAGAIN) return;
    // A message under way is far less than what a socket takes.
    if (length > 0 &&
        ::send(socket, buffer, static_cast<std::size_t>(length), MSG_NOSIGNAL) == length) {
        return;
    }
    ::close(socket);
}

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    const int listener = bench::listening_socket(arguments.number("port", 7007));
    bench::check(::fcntl(listener, F_SETFL, O_NONBLOCK), "fcntl");
    const int epoll = bench::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    watch(epoll, listener);
    bench::print_listening();
    for (;;) {
        epoll_event events[256];
        const int count = ::epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            const int descriptor = events[i].data.fd;
            if (descriptor == listener) accept_all(epoll, listener);
            else echo(descriptor);
        }
    }
}
