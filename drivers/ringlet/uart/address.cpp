// Words between commas.
#include <ringlet/uart/address.hpp>

#include <ringlet/uart/error.hpp>

#include <algorithm>
#include <charconv>

namespace ringlet::uart {
namespace {

enum Setting : unsigned { nothing = 0, speed = 1, format = 2, flow_control = 4 };

bool read_speed(std::string_view word, Options& options) {
    const char* const end = word.data() + word.size();
    unsigned baud = 0;
    const auto read = std::from_chars(word.data(), end, baud);
    if (read.ec != std::errc{} || read.ptr != end || baud == 0) return false;
    options.baud = baud;
    return true;
}

bool read_format(std::string_view word, Options& options) {
    constexpr std::string_view parities = "NEOMSneoms";
    if (word.size() != 3) return false;
    const std::size_t parity = parities.find(word[1]);
    if (word[0] < '5' || word[0] > '8' || parity == parities.npos || word[2] < '1' ||
        word[2] > '2') {
        return false;
    }
    options.data_bits = static_cast<unsigned>(word[0] - '0');
    options.parity = static_cast<Parity>(parity % (parities.size() / 2));
    options.stop_bits = static_cast<unsigned>(word[2] - '0');
    return true;
}

bool read_flow_control(std::string_view word, Options& options) {
    if (word != "rtscts" && word != "xonxoff") return false;
    options.flow_control = word == "rtscts" ? FlowControl::hardware : FlowControl::software;
    return true;
}

Setting read_setting(std::string_view word, Options& options) {
    if (read_speed(word, options)) return speed;
    if (read_format(word, options)) return format;
    if (read_flow_control(word, options)) return flow_control;
    return nothing;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    Address address;
    const std::string_view path = text.substr(0, text.find(','));
    if (path.empty() || path.size() > path_bytes_max || path.contains('\0')) {
        return std::unexpected(error_of(Detail::path));
    }
    std::ranges::copy(path, address.path.begin());
    unsigned seen = nothing;
    for (text.remove_prefix(path.size()); !text.empty();) {
        text.remove_prefix(1);  // the comma
        const std::string_view word = text.substr(0, text.find(','));
        const Setting setting = read_setting(word, address.options);
        if (setting == nothing || (seen & setting) != 0) {
            return std::unexpected(error_of(Detail::settings));
        }
        seen |= setting;
        text.remove_prefix(word.size());
    }
    return address;
}

}  // namespace ringlet::uart
