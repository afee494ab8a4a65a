// Client: asks HTTP servers, over a bounded pool of connections.
//
//   static http::Storage<http::Limits{.connections = 4}> storage;
//
//   Task<void> app() {
//       http::Client client(storage);
//       auto response = co_await client.get("http://192.0.2.7:8080/status");
//       ...
//   }
//
// HTTP/1.1 (RFC 9110, 9112), in the clear. One request at a time on a connection, as many
// connections side by side as http::Limits allow. Redirects are followed.
#pragma once

#include <ringlet/http/request.hpp>
#include <ringlet/http/response.hpp>

namespace ringlet::dns {
class Resolver;
}

namespace ringlet::http {

struct ClientOptions {
    // Looks up hosts' names, and outlives the client. Without one only addresses and "localhost"
    // can be reached: other names fail (no_resolver).
    dns::Resolver* resolver = nullptr;
    // Open at once to one host and port. 0: as many as Limits::connections_per_host; otherwise so
    // many, but never more than those.
    unsigned connections_per_host = 0;
    Timeouts timeouts = {};
    std::string_view user_agent = "ringlet";
};

class Client {
public:
    // One client at a time uses a storage. Both it and what the options point to outlive the
    // client. Made and destroyed inside run().
    template <Limits limits>
    explicit Client(Storage<limits>& storage, const ClientOptions& options = {})
        : Client(storage.parts(), options) {}
    // Closes idle connections, in the background. Asserts that no request is under way, and that
    // no Response is left.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Sends a request and waits for the head of the response; the body is read from the Response.
    // Waits its turn while the pool is full.
    //
    // On a connection that was used before and turns out dead before any byte of the response has
    // come, the request is sent once more on a new one, if it is idempotent and its body no stream.
    //
    // Errors: see error.hpp. A status is none, unless Request::require_success.
    // Cancellation: the connection is closed; the server may or may not have seen the request.
    // Source: RFC 9110 (15.4 for redirects), RFC 9112.
    Task<Response> send(Request request);

    // The same for simple requests, which fail as send() does.
    Task<Response> get(std::string_view url) { return send({.url = url}); }
    Task<Response> head(std::string_view url) { return send({.method = Method::head, .url = url}); }
    Task<Response> post(std::string_view url, Body body, std::string_view content_type) {
        return send(
            {.method = Method::post, .url = url, .body = body, .content_type = content_type});
    }
    Task<Response> put(std::string_view url, Body body, std::string_view content_type) {
        return send(
            {.method = Method::put, .url = url, .body = body, .content_type = content_type});
    }
    Task<Response> delete_(std::string_view url) {
        return send({.method = Method::delete_, .url = url});
    }
    // A POST of a text that is JSON already.
    Task<Response> post_json(std::string_view url, std::string_view json) {
        return post(url, json, "application/json");
    }

    // What the pool has seen so far.
    const PoolCounters& counters() const { return pool_.counters(); }
    unsigned open_connections() const { return pool_.open(); }
    unsigned idle_connections() const { return pool_.idle(); }
    // Requests that wait for a connection.
    unsigned waiting() const { return pool_.waiting(); }

    const ClientOptions& options() const { return options_; }
    const Limits& limits() const { return pool_.limits(); }

    // For the parts of the client.
    ConnectionPool& pool() { return pool_; }

private:
    Client(const StorageParts& parts, const ClientOptions& options);

    ClientOptions options_;
    ConnectionPool pool_;
};

}  // namespace ringlet::http
