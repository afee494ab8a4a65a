#include "libuv.hpp"

using namespace bench;

struct Connection {
    uv_tcp_t tcp;
    uv_write_t write;
    char data[4096];

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
};

static void on_closed(uv_handle_t* handle) {
    delete &owner<Connection>(handle);
}

static void on_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    Connection& self = owner<Connection>(handle);
    *buffer = uv_buf_init(self.data, sizeof self.data);
}

static void on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer);

static void on_written(uv_write_t* write, int status) {
    Connection& self = owner<Connection>(write);
    if (status < 0) return close(self.tcp, on_closed);
    check(uv_read_start(self.stream(), on_buffer, on_read));
}

// At once what the socket takes; the rest, if there is any, before the next read.
static void on_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer) {
    Connection& self = owner<Connection>(stream);
    if (bytes < 0) return close(self.tcp, on_closed);
    if (bytes == 0) return;
    uv_buf_t left = uv_buf_init(buffer->base, static_cast<unsigned>(bytes));
    const int sent = uv_try_write(stream, &left, 1);
    if (sent == bytes) return;
    if (sent < 0 && sent != UV_EAGAIN) return close(self.tcp, on_closed);
    if (sent > 0) left = uv_buf_init(left.base + sent, static_cast<unsigned>(bytes - sent));
    check(uv_read_stop(stream));
    check(uv_write(&self.write, stream, &left, 1, on_written));
}

static void on_connection(uv_stream_t* listener, int status) {
    check(status);
    auto* const connection = new Connection;
    connection->tcp.data = connection->write.data = connection;
    check(uv_tcp_init(listener->loop, &connection->tcp));
    check(uv_accept(listener, connection->stream()));
    check(uv_tcp_nodelay(&connection->tcp, 1));
    check(uv_read_start(connection->stream(), on_buffer, on_read));
}

int main(int count, char** values) {
    const sockaddr_in address = loopback(Arguments(count, values).number("port", 9000));
    uv_tcp_t listener;
    check(uv_tcp_init(uv_default_loop(), &listener));
    check(uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0));
    check(uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 1024, on_connection));
    serve();
}
