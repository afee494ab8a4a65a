#include <vector>

#include "libuv.hpp"

using namespace bench;

// A datagram that the socket did not take at once.
struct Late {
    uv_udp_send_t send;
    std::vector<char> data;
};

static void on_sent(uv_udp_send_t* send, int) {
    delete &owner<Late>(send);
}

static void send_late(uv_udp_t* socket, const uv_buf_t& data, const sockaddr* peer) {
    auto* const late = new Late{{}, {data.base, data.base + data.len}};
    late->send.data = late;
    const uv_buf_t copy = uv_buf_init(late->data.data(), static_cast<unsigned>(late->data.size()));
    check(uv_udp_send(&late->send, socket, &copy, 1, peer, on_sent));
}

// Room for as many as libuv takes with one recvmmsg.
static void on_buffer(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
    static char data[20 * 65536];
    *buffer = uv_buf_init(data, sizeof data);
}

static void on_datagram(uv_udp_t* socket, ssize_t bytes, const uv_buf_t* buffer,
                        const sockaddr* peer, unsigned) {
    if (peer == nullptr) return;  // no more for now
    check(static_cast<int>(bytes));
    const uv_buf_t data = uv_buf_init(buffer->base, static_cast<unsigned>(bytes));
    if (uv_udp_try_send(socket, &data, 1, peer) == UV_EAGAIN) send_late(socket, data, peer);
}

int main(int count, char** values) {
    const sockaddr_in address = loopback(Arguments(count, values).number("port", 9000));
    uv_udp_t socket;
    check(uv_udp_init_ex(uv_default_loop(), &socket, AF_INET | UV_UDP_RECVMMSG));
    check(uv_udp_bind(&socket, reinterpret_cast<const sockaddr*>(&address), 0));
    check(uv_udp_recv_start(&socket, on_buffer, on_datagram));
    serve();
}
