// resolv.conf, line by line.
#include <ringlet/dns/config.hpp>

#include <ringlet/dns/words.hpp>

#include <algorithm>
#include <charconv>

namespace ringlet::dns {
namespace {

constexpr unsigned ndots_max = 15;
constexpr unsigned timeout_s_max = 30;
constexpr unsigned attempts_max = 5;

// "name:number", the number cut to `most`.
bool read_number(std::string_view option, std::string_view name, unsigned most, unsigned& out) {
    option.remove_prefix(name.size());
    unsigned number = 0;
    const char* const end = option.data() + option.size();
    const auto parsed = std::from_chars(option.data(), end, number);
    if (parsed.ec == std::errc::invalid_argument || parsed.ptr != end) return false;
    out = parsed.ec == std::errc{} ? std::min(number, most) : most;
    return true;
}

}  // namespace

bool Config::read_line(std::string_view line) {
    if (line.starts_with('#') || line.starts_with(';')) return true;
    const std::string_view keyword = take_word(line);
    if (keyword == "nameserver") return read_server(take_word(line));
    if (keyword == "search" || keyword == "domain") return read_search(line);
    if (keyword == "options") return read_options(line);
    return true;
}

bool Config::add_server(const SocketAddress& server) {
    const int family = server.storage.ss_family;
    if (server_count_ == servers_.size() || (family != AF_INET && family != AF_INET6)) return false;
    servers_[server_count_++] = {IpAddress(server), port_of(server)};
    return true;
}

void Config::use_servers_of(const Config& other) {
    servers_ = other.servers_;
    server_count_ = other.server_count_;
}

SocketAddress Config::server(unsigned index) const {
    RINGLET_ASSERT(index < server_count_);
    return servers_[index].address.with_port(servers_[index].port);
}

bool Config::read_server(std::string_view address) {
    const auto parsed = parse_address(address, dns_port);
    return parsed && add_server(*parsed);
}

// The last such line counts.
bool Config::read_search(std::string_view domains) {
    search.clear();
    bool all = true;
    for (auto word = take_word(domains); !word.empty(); word = take_word(domains)) {
        const bool is_root = word == ".";
        if (!is_root && !search.add(word)) all = false;
    }
    return all;
}

bool Config::read_options(std::string_view options) {
    bool all = true;
    for (auto word = take_word(options); !word.empty(); word = take_word(options)) {
        if (!read_option(word)) all = false;
    }
    return all;
}

bool Config::read_option(std::string_view option) {
    unsigned number = 0;
    if (option == "rotate") {
        rotate = true;
    } else if (option.starts_with("ndots:")) {
        if (!read_number(option, "ndots:", ndots_max, number)) return false;
        ndots = number;
    } else if (option.starts_with("timeout:")) {
        if (!read_number(option, "timeout:", timeout_s_max, number)) return false;
        timeout = std::chrono::seconds(std::max(number, 1u));
    } else if (option.starts_with("attempts:")) {
        if (!read_number(option, "attempts:", attempts_max, number)) return false;
        attempts = std::max(number, 1u);
    }
    return true;
}

}  // namespace ringlet::dns
