// Messages: questions as bytes, and bytes as answers (RFC 1035, 4). c-ares does the work; it
// allocates in an arena of arena_bytes, which is empty again after each call. These functions never
// wait. One thread at a time in the whole process may be inside (c-ares' hooks are global):
// asserted.
#pragma once

#include <ringlet/dns/addresses.hpp>
#include <ringlet/dns/error.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace ringlet::dns {

inline constexpr std::size_t header_bytes = 12;
// Header, the longest name as bytes, type and class.
inline constexpr std::size_t question_bytes_max = header_bytes + name_bytes_max + 2 + 4;

// Writes a question for the addresses of a valid name to `out`, and gives the part that it fills.
// family: v4 or v6. The id is 0.
Result<std::span<std::byte>> write_question(std::span<std::byte, question_bytes_max> out,
                                            std::string_view name, Family family);

void set_id(std::span<std::byte> message, std::uint16_t id);

// True if `answer` is an answer to `question`: of the same id, and for the same name, type and
// class. What it says may still be anything.
bool answers(std::span<const std::byte> answer, std::span<const std::byte> question);

// True if there was more than a datagram holds. `answer` has answered().
bool is_truncated(std::span<const std::byte> answer);

// Reads the addresses of `family` in an answer, and adds them to `out`. Gives for how many seconds
// they are good: the least of all times to live. `answer` has answered(). Aliases are followed.
//
// Errors: not_found, no_address; server_failure, refused, not_understood, malformed, memory.
Result<std::uint32_t> read_answer(std::span<std::byte> answer, Family family,
                                  Addresses& out);

}  // namespace ringlet::dns
