// A hosts file, line by line.
#include <ringlet/dns/hosts.hpp>

#include <ringlet/dns/name.hpp>
#include <ringlet/dns/words.hpp>

#include <cstring>

namespace ringlet::dns {

void Hosts::read_line(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::string_view first = take_word(line);
    const auto address = parse_address(first, 0);
    if (!address || first == "localhost") return;
    for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
        if (const auto name = check_name(word)) add(*name, IpAddress(*address));
    }
}

void Hosts::add(std::string_view name, const IpAddress& address) {
    if (count_ == entries_.size() || name.size() > text_.size() - used_) {
        ++left_out_;
        return;
    }
    std::memcpy(text_.data() + used_, name.data(), name.size());
    entries_[count_++] = {address, static_cast<std::uint16_t>(used_),
                          static_cast<std::uint8_t>(name.size())};
    used_ += static_cast<unsigned>(name.size());
}

void Hosts::find(std::string_view name, Addresses& v6, Addresses& v4) const {
    for (const HostEntry& each : entries_.first(count_)) {
        if (!same_name({text_.data() + each.start, each.length}, name)) continue;
        (each.address.family() == Family::v6 ? v6 : v4).add(each.address);
    }
}

}  // namespace ringlet::dns
