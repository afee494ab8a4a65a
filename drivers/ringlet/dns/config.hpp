// Config: which servers to ask, and how; what resolv.conf says.
#pragma once

#include <ringlet/dns/addresses.hpp>
#include <ringlet/dns/name.hpp>

#include <chrono>

namespace ringlet::dns {

inline constexpr std::uint16_t dns_port = 53;

class Config {
public:
    // One line of resolv.conf(5): nameserver, search, domain, and of the options ndots, timeout,
    // attempts and rotate. False if it says something of these that cannot be understood or has no
    // room; then nothing changes. All other lines are comments.
    bool read_line(std::string_view line);

    // False if there is no room, or if it is neither an IPv4 nor an IPv6 address.
    bool add_server(const SocketAddress& server);
    void use_servers_of(const Config& other);
    unsigned servers() const { return server_count_; }
    SocketAddress server(unsigned index) const;

    // The defaults, and the most that a file may ask for, are resolv.conf(5)'s.
    SearchList search;
    unsigned ndots = 1;
    unsigned attempts = 2;           // rounds through all servers
    Nanoseconds timeout = std::chrono::seconds(5);  // of one server in one round
    bool rotate = false;             // each lookup begins at another server

private:
    bool read_server(std::string_view address);
    bool read_search(std::string_view domains);
    bool read_options(std::string_view options);
    bool read_option(std::string_view option);

    struct Server {
        IpAddress address;
        std::uint16_t port = 0;
    };
    std::array<Server, servers_max> servers_{};
    unsigned server_count_ = 0;
};

}  // namespace ringlet::dns
