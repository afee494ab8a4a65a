// Request: what a device on a serial line is asked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace timeout_app {

// A line, its end included.
class Request {
public:
    static constexpr std::size_t bytes_max = 128;

    std::string_view view() const { return {bytes_.data(), size_}; }

private:
    friend std::optional<Request> parse_request(std::string_view text);

    bool add(char byte);

    std::array<char, bytes_max> bytes_{};
    std::uint8_t size_ = 0;
};

// The text, in which \r, \n, \t, \\ and \xHH stand for what they are in C. What does not end with
// \r or \n gets a newline. Empty if it is too long, or has other escapes.
std::optional<Request> parse_request(std::string_view text);

}  // namespace timeout_app
