// c-ares over an arena, and its messages.
#include <ringlet/dns/message.hpp>

#include <ringlet/base/bump_arena.hpp>
#include <ringlet/dns/name.hpp>

#include <ares.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

namespace ringlet::dns {
namespace {

// As c-ares' headers have them in a file that is not installed everywhere (ares_nameser.h).
constexpr int class_internet = 1;
constexpr int type_a = 1;
constexpr int type_aaaa = 28;

constexpr unsigned bit_response = 0x80;   // of byte 2
constexpr unsigned bits_opcode = 0x78;    // of byte 2
constexpr unsigned bit_truncated = 0x02;  // of byte 2
constexpr unsigned bits_code = 0x0f;      // of byte 3

// Sends c-ares' allocations to the arena, and gives malloc back to other users of c-ares.
class Arena {
public:
    Arena() {
        RINGLET_ASSERT(!busy_.test_and_set(std::memory_order_acquire));
        arena_.clear();
        ::ares_library_init_mem(
            ARES_LIB_INIT_NONE, [](std::size_t bytes) { return arena_.allocate(bytes); },
            [](void* pointer) { arena_.release(pointer); },
            [](void* pointer, std::size_t bytes) { return arena_.reallocate(pointer, bytes); });
    }
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() {
        ::ares_library_init_mem(ARES_LIB_INIT_NONE, std::malloc, std::free, std::realloc);
        ::ares_library_cleanup();
        ::ares_library_cleanup();
        busy_.clear(std::memory_order_release);
    }

    bool is_full() const { return arena_.is_full(); }

private:
    static constexpr std::size_t alignment = alignof(std::max_align_t);

    static inline constinit std::atomic_flag busy_{};
    alignas(alignment) static inline constinit std::byte memory_[arena_bytes]{};
    static inline constinit BumpArena<alignment> arena_{memory_};
};

std::unexpected<Error> failure(Detail detail) {
    return std::unexpected(error_of(detail));
}

unsigned byte_at(std::span<const std::byte> message, std::size_t index) {
    return std::to_integer<unsigned>(message[index]);
}
unsigned number_at(std::span<const std::byte> message, std::size_t index) {
    return byte_at(message, index) << 8 | byte_at(message, index + 1);
}

const unsigned char* raw(std::span<const std::byte> message) {
    return reinterpret_cast<const unsigned char*>(message.data());
}

// What the server says of the question as a whole.
Result<void> check_code(std::span<const std::byte> answer) {
    switch (byte_at(answer, 3) & bits_code) {
        case 0: return {};
        case 2: return failure(Detail::server_failure);
        case 3: return failure(Detail::not_found);
        case 5: return failure(Detail::refused);
        default: return failure(Detail::not_understood);
    }
}

// More records than the addresses that are kept, with the aliases before them, would only fill the
// arena: c-ares reads all that the header claims.
void leave_out_surplus(std::span<std::byte> answer) {
    constexpr unsigned records_max = 2 * addresses_max;
    if (number_at(answer, 6) <= records_max) return;
    answer[6] = std::byte{0};
    answer[7] = std::byte{records_max};
}

Detail detail_of_status(int status, const Arena& arena) {
    if (arena.is_full()) return Detail::memory;
    return status == ARES_ENODATA ? Detail::no_address : Detail::malformed;
}

std::span<const std::byte> address_bytes(const ares_addrttl& each) {
    return std::as_bytes(std::span(&each.ipaddr, 1));
}
std::span<const std::byte> address_bytes(const ares_addr6ttl& each) {
    return std::as_bytes(std::span(&each.ip6addr, 1));
}

// `parse` is c-ares' function for a kind of record.
template <class Record, class Parse>
Result<std::uint32_t> read_records(std::span<const std::byte> answer, Parse parse,
                                   Addresses& out) {
    std::array<Record, addresses_max> records;
    int count = static_cast<int>(records.size());
    {
        const Arena arena;
        const int status =
            parse(raw(answer), static_cast<int>(answer.size()), nullptr, records.data(), &count);
        if (status != ARES_SUCCESS) return failure(detail_of_status(status, arena));
    }
    if (count <= 0) return failure(Detail::no_address);
    std::uint32_t good_s = UINT32_MAX;
    for (const Record& each : std::span(records).first(static_cast<std::size_t>(count))) {
        out.add(IpAddress(address_bytes(each)));
        good_s = std::min(good_s, static_cast<std::uint32_t>(std::max(each.ttl, 0)));
    }
    return good_s;
}

}  // namespace

Result<std::span<std::byte>> write_question(std::span<std::byte, question_bytes_max> out,
                                            std::string_view name, Family family) {
    std::array<char, name_bytes_max + 1> terminated;
    RINGLET_ASSERT(name.size() < terminated.size());
    *std::ranges::copy(name, terminated.begin()).out = '\0';
    const Arena arena;
    unsigned char* bytes = nullptr;
    int size = 0;
    const int type = family == Family::v6 ? type_aaaa : type_a;
    // Without EDNS: every server understands that, and what does not fit comes over TCP.
    const int status = ::ares_create_query(terminated.data(), class_internet, type, 0, 1, &bytes,
                                           &size, 0);
    // c-ares knows names that are never asked for: ".onion" (RFC 7686).
    if (status == ARES_ENOTFOUND) return failure(Detail::not_found);
    if (status != ARES_SUCCESS) return failure(Detail::name_shape);
    const auto length = static_cast<std::size_t>(size);
    RINGLET_ASSERT(length <= out.size());
    std::memcpy(out.data(), bytes, length);
    return out.first(length);
}

void set_id(std::span<std::byte> message, std::uint16_t id) {
    RINGLET_ASSERT(message.size() >= header_bytes);
    message[0] = static_cast<std::byte>(id >> 8);
    message[1] = static_cast<std::byte>(id);
}

// The question comes back as it was sent, but for the case of its letters, so bytes are compared.
// (No byte of a length is a letter's: those are at most 63.)
bool answers(std::span<const std::byte> answer, std::span<const std::byte> question) {
    if (answer.size() < question.size() || question.size() < header_bytes) return false;
    const unsigned flags = byte_at(answer, 2);
    if ((flags & bit_response) == 0 || (flags & bits_opcode) != 0) return false;
    if (number_at(answer, 0) != number_at(question, 0) || number_at(answer, 4) != 1) return false;
    const auto asked = question.subspan(header_bytes);
    const auto said = answer.subspan(header_bytes, asked.size());
    constexpr std::size_t end_bytes = 4;  // type and class, in which 'A' is not 'a'
    const std::size_t name_bytes = asked.size() - end_bytes;
    const auto text = [](std::span<const std::byte> bytes) {
        return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    return same_name(text(asked.first(name_bytes)), text(said.first(name_bytes))) &&
           std::ranges::equal(asked.last(end_bytes), said.last(end_bytes));
}

bool is_truncated(std::span<const std::byte> answer) {
    return (byte_at(answer, 2) & bit_truncated) != 0;
}

Result<std::uint32_t> read_answer(std::span<std::byte> answer, Family family,
                                  Addresses& out) {
    if (answer.size() < header_bytes) return failure(Detail::malformed);
    const auto checked = check_code(answer);
    if (!checked) return std::unexpected(checked.error());
    leave_out_surplus(answer);
    if (family == Family::v4) return read_records<ares_addrttl>(answer, ares_parse_a_reply, out);
    return read_records<ares_addr6ttl>(answer, ares_parse_aaaa_reply, out);
}

}  // namespace ringlet::dns
