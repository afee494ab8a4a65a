// Hosts: the names that a hosts file knows, in memory of a fixed size.
#pragma once

#include <ringlet/dns/addresses.hpp>

#include <span>
#include <string_view>

namespace ringlet::dns {

// A name and its address; the name's characters are in the table's text.
struct HostEntry {
    IpAddress address;
    std::uint16_t start = 0;
    std::uint8_t length = 0;
};

class Hosts {
public:
    // Both are the caller's, and outlive this.
    Hosts(std::span<HostEntry> entries, std::span<char> text) : entries_(entries), text_(text) {}

    // One line of hosts(5): an address, and names. Lines that are none are passed over.
    void read_line(std::string_view line);
    void clear() { count_ = used_ = 0, left_out_ = 0; }

    // Adds the addresses that a name has.
    void find(std::string_view name, Addresses& v6, Addresses& v4) const;

    unsigned size() const { return count_; }
    // Names for which there was no room.
    std::uint64_t left_out() const { return left_out_; }

private:
    void add(std::string_view name, const IpAddress& address);

    std::span<HostEntry> entries_;
    std::span<char> text_;
    unsigned count_ = 0;
    unsigned used_ = 0;  // bytes of the text
    std::uint64_t left_out_ = 0;
};

}  // namespace ringlet::dns
