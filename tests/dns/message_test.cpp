// Questions and answers as bytes.
#include <dns/messages.hpp>

#include <ringlet/dns/message.hpp>

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace ringlet;
using namespace ringlet::dns;
using namespace ringlet::support;

namespace {

constexpr unsigned answer_flags = 0x8180;

// An answer that announces so many records; the caller appends them.
MessageWriter answer_to(std::string_view name, unsigned type, unsigned records,
                        unsigned flags = answer_flags, unsigned id = 7) {
    MessageWriter answer;
    answer.header(id, flags, 1, records);
    answer.question(name, type);
    return answer;
}

std::vector<std::byte> question_for(std::string_view name, Family family, std::uint16_t id) {
    std::array<std::byte, question_bytes_max> room;
    const auto written = write_question(room, name, family);
    EXPECT_TRUE(written.has_value());
    if (!written) return {};
    set_id(*written, id);
    return {written->begin(), written->end()};
}

std::vector<std::byte> bytes_from(std::initializer_list<unsigned> values) {
    std::vector<std::byte> bytes;
    for (const unsigned each : values) bytes.push_back(static_cast<std::byte>(each));
    return bytes;
}

std::string host(const IpAddress& address) {
    return text(address.with_port(0)).c_str();
}

// Memory that ends where the process may not read: c-ares is not built with a sanitizer.
class GuardedMemory {
public:
    static constexpr std::size_t page = 65536;  // of any machine

    GuardedMemory() {
        void* const pages =
            ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        RINGLET_ASSERT(pages != MAP_FAILED);
        pages_ = static_cast<std::byte*>(pages);
        RINGLET_ASSERT(::mprotect(pages_ + page, page, PROT_NONE) == 0);
    }
    ~GuardedMemory() { ::munmap(pages_, 2 * page); }
    GuardedMemory(const GuardedMemory&) = delete;

    std::span<std::byte> place(std::span<const std::byte> bytes) const {
        std::byte* const start = pages_ + page - bytes.size();
        std::ranges::copy(bytes, start);
        return {start, bytes.size()};
    }

private:
    std::byte* pages_;
};

Error error_of_answer(std::span<std::byte> answer, Family family = Family::v4) {
    Addresses addresses;
    const auto read = read_answer(answer, family, addresses);
    EXPECT_FALSE(read.has_value());
    return read ? Error() : read.error();
}

}  // namespace

TEST(DnsMessage, question_has_the_bytes_of_the_standard) {
    const auto expected = bytes_from({0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0,        //
                                      7, 'e', 'x', 'a', 'm', 'p', 'l', 'e',               //
                                      3, 'c', 'o', 'm', 0, 0, 1, 0, 1});
    EXPECT_TRUE(question_for("example.com", Family::v4, 0x1234) == expected);
    auto version_6 = expected;
    version_6[version_6.size() - 3] = std::byte{28};
    EXPECT_TRUE(question_for("example.com", Family::v6, 0x1234) == version_6);
}

TEST(DnsMessage, question_for_the_longest_name_fits) {
    std::string name;
    for (int i = 0; i < 3; ++i) name += std::string(63, 'a') + ".";
    name += std::string(61, 'b');
    ASSERT_EQ(name.size(), name_bytes_max);
    EXPECT_EQ(question_for(name, Family::v4, 0).size(), question_bytes_max);
}

TEST(DnsMessage, name_that_must_never_be_asked_for_is_not_found) {
    std::array<std::byte, question_bytes_max> room;
    const auto written = write_question(room, "hidden.onion", Family::v4);
    ASSERT_FALSE(written.has_value());
    EXPECT_TRUE(written.error() == Detail::not_found);
}

TEST(DnsMessage, answer_matches_its_question_whatever_the_case) {
    const auto question = question_for("host.example", Family::v4, 7);
    MessageWriter answer = answer_to("HOST.Example", type_a, 0);
    EXPECT_TRUE(answers(answer.bytes(), question));
}

TEST(DnsMessage, what_answers_another_question_does_not_match) {
    const auto question = question_for("host.example", Family::v4, 7);
    const auto matches = [&](unsigned id, unsigned flags, std::string_view name, unsigned type) {
        return answers(answer_to(name, type, 0, flags, id).bytes(), question);
    };
    EXPECT_TRUE(matches(7, answer_flags, "host.example", type_a));
    EXPECT_FALSE(matches(8, answer_flags, "host.example", type_a));
    EXPECT_FALSE(matches(7, answer_flags, "hose.example", type_a));
    EXPECT_FALSE(matches(7, answer_flags, "host.example", type_aaaa));
    EXPECT_FALSE(matches(7, 0x0100, "host.example", type_a)) << "a question itself";
    EXPECT_FALSE(matches(7, answer_flags | 0x2000, "host.example", type_a)) << "an update";
    EXPECT_FALSE(matches(7, answer_flags, "host.example.org", type_a));
    EXPECT_FALSE(matches(7, answer_flags, "host", type_a)) << "too short";
    EXPECT_FALSE(answers({}, question));
    MessageWriter without_question;
    without_question.header(7, answer_flags, 0, 0);
    without_question.question("host.example", type_a);
    EXPECT_FALSE(answers(without_question.bytes(), question));
}

TEST(DnsMessage, addresses_come_in_the_order_of_the_answer) {
    MessageWriter answer = answer_to("host.example", type_a, 3);
    answer.address("host.example", "192.0.2.3", 300);
    answer.address("host.example", "192.0.2.1", 60);
    answer.address("host.example", "192.0.2.2", 600);
    Addresses addresses;
    const auto good = read_answer(answer.bytes(), Family::v4, addresses);
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(*good, 60u) << "the least of all";
    ASSERT_EQ(addresses.size(), 3u);
    EXPECT_EQ(host(addresses[0]), "192.0.2.3:0");
    EXPECT_EQ(host(addresses[1]), "192.0.2.1:0");
    EXPECT_EQ(host(addresses[2]), "192.0.2.2:0");
}

TEST(DnsMessage, more_addresses_than_are_kept_are_left_out_however_many) {
    for (const char* const name :
         {"a.example", "a-name-as-long-as-those-of-clusters.region.example"}) {
        for (const unsigned count : {16u, 17u, 33u, 150u, 240u}) {
            MessageWriter answer = answer_to(name, type_a, count);
            for (unsigned i = 0; i < count; ++i) {
                std::array<char, 24> address;
                std::snprintf(address.data(), address.size(), "192.0.2.%u", i);
                answer.address(name, address.data(), 60);
            }
            Addresses addresses;
            EXPECT_TRUE(read_answer(answer.bytes(), Family::v4, addresses).has_value()) << count;
            EXPECT_EQ(addresses.size(), addresses_max);
        }
    }
}

TEST(DnsMessage, aliases_are_followed_and_their_time_counts) {
    MessageWriter answer = answer_to("www.example", type_aaaa, 3);
    answer.alias("www.example", "cdn.example", 20);
    answer.alias("cdn.example", "node.example", 400);
    answer.address("node.example", "2001:db8::7", 300);
    Addresses addresses;
    const auto good = read_answer(answer.bytes(), Family::v6, addresses);
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(*good, 20u);
    ASSERT_EQ(addresses.size(), 1u);
    EXPECT_EQ(host(addresses[0]), "[2001:db8::7]:0");
}

TEST(DnsMessage, alias_without_an_address_is_no_address) {
    MessageWriter answer = answer_to("www.example", type_a, 1);
    answer.alias("www.example", "cdn.example", 20);
    EXPECT_TRUE(error_of_answer(answer.bytes()) == Detail::no_address);
}

TEST(DnsMessage, records_of_other_names_do_not_count) {
    MessageWriter answer = answer_to("www.example", type_a, 2);
    answer.alias("www.example", "cdn.example", 20);
    answer.address("evil.example", "192.0.2.66", 60);
    EXPECT_TRUE(error_of_answer(answer.bytes()) == Detail::no_address);
}

TEST(DnsMessage, aliases_in_a_circle_end) {
    MessageWriter answer = answer_to("www.example", type_a, 2);
    answer.alias("www.example", "cdn.example", 20);
    answer.alias("cdn.example", "www.example", 20);
    EXPECT_TRUE(error_of_answer(answer.bytes()) == Detail::no_address);
}

TEST(DnsMessage, every_code_of_a_server_has_its_error) {
    const auto error_of_code = [](unsigned code) {
        MessageWriter answer = answer_to("host.example", type_a, 0, answer_flags | code);
        return error_of_answer(answer.bytes());
    };
    EXPECT_TRUE(error_of_code(0) == Detail::no_address);
    EXPECT_TRUE(error_of_code(1) == Detail::not_understood);
    EXPECT_TRUE(error_of_code(2) == Detail::server_failure);
    EXPECT_TRUE(error_of_code(3) == Detail::not_found);
    EXPECT_TRUE(error_of_code(4) == Detail::not_understood);
    EXPECT_TRUE(error_of_code(5) == Detail::refused);
    EXPECT_TRUE(error_of_code(15) == Detail::not_understood);
    EXPECT_STREQ(text(error_of_code(3)), "there is no host of that name");
}

TEST(DnsMessage, addresses_over_the_limit_are_left_out) {
    MessageWriter answer = answer_to("host.example", type_a, 100);
    for (int i = 0; i < 100; ++i) {
        answer.address("host.example", "10.0.0." + std::to_string(i), 60);
    }
    Addresses addresses;
    ASSERT_TRUE(read_answer(answer.bytes(), Family::v4, addresses).has_value());
    EXPECT_EQ(addresses.size(), addresses_max);
    EXPECT_EQ(host(addresses[addresses_max - 1]), "10.0.0.15:0");
}

TEST(DnsMessage, answer_that_needs_more_than_the_arena_is_refused) {
    const std::string label(62, 'x');
    const std::string name = label + "." + label + "." + label + "." + label;
    MessageWriter answer = answer_to(name, type_aaaa, 31);
    for (int i = 0; i < 31; ++i) answer.alias(name, name, 1);
    EXPECT_TRUE(error_of_answer(answer.bytes(), Family::v6) == Detail::memory);
    // The arena is empty again.
    EXPECT_EQ(question_for("example.com", Family::v4, 1).size(), 29u);
}

TEST(DnsMessage, cut_or_empty_answer_is_malformed) {
    MessageWriter answer = answer_to("host.example", type_a, 1);
    answer.address("host.example", "192.0.2.3", 300);
    const auto whole = answer.bytes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<long>(size));
        EXPECT_TRUE(error_of_answer(cut) == Detail::malformed) << size;
    }
}

TEST(DnsMessage, mutated_answers_are_read_within_their_bounds) {
    MessageWriter original = answer_to("www.example", type_a, 5);
    original.alias("www.example", "host.example", 20);
    original.address("host.example", "192.0.2.3", 300);
    original.put16(0xc00c);  // a compressed name
    original.put16(type_a);
    original.put16(1);
    original.put32(60);
    original.put16(4);
    original.put32(0xc0000201);
    original.address("host.example", "2001:db8::1", 300);
    original.address("host.example", "192.0.2.4", 300);
    const auto question = question_for("www.example", Family::v4, 7);
    const GuardedMemory guard;
    std::mt19937 random(20);
    unsigned readable = 0;
    for (int round = 0; round < 30'000; ++round) {
        std::vector<std::byte> answer(original.bytes().begin(), original.bytes().end());
        for (auto changes = random() % 6; changes > 0; --changes) {
            answer[random() % answer.size()] = static_cast<std::byte>(random());
        }
        if (random() % 4 == 0) answer.resize(random() % (answer.size() + 1));
        const auto guarded = guard.place(answer);
        Addresses addresses;
        (void)answers(guarded, question);
        const Family family = random() % 2 == 0 ? Family::v4 : Family::v6;
        const auto read = read_answer(guarded, family, addresses);
        EXPECT_EQ(read.has_value(), !addresses.empty());
        if (read) ++readable;
        for (const IpAddress& each : addresses) EXPECT_EQ(each.family(), family);
    }
    EXPECT_GT(readable, 1000u);
    EXPECT_LT(readable, 29'000u);
}
