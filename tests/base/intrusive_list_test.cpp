#include <ringlet/base/intrusive_list.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <list>
#include <random>
#include <vector>

namespace ringlet {
namespace {

struct ByAge;
struct BySize;

struct Member : ListLink<>, ListLink<ByAge>, ListLink<BySize> {
    explicit Member(int its_number = 0) : number(its_number) {}
    ~Member() {
        ListLink<>::unlink();
        ListLink<ByAge>::unlink();
        ListLink<BySize>::unlink();
    }
    int number;
};

template <class Tag>
std::vector<int> numbers(const IntrusiveList<Member, Tag>& list) {
    std::vector<int> all;
    for (const Member* at = list.front(); at != nullptr; at = list.after(*at)) {
        all.push_back(at->number);
    }
    return all;
}

TEST(IntrusiveList, is_empty_at_first) {
    IntrusiveList<Member> list;
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.front(), nullptr);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, gives_members_back_in_the_order_of_their_coming) {
    Member one(1), two(2), three(3);
    IntrusiveList<Member> list;
    list.push_back(one);
    list.push_back(two);
    list.push_back(three);
    EXPECT_EQ(list.pop_front(), &one);
    EXPECT_EQ(list.pop_front(), &two);
    EXPECT_EQ(list.pop_front(), &three);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, a_member_may_go_before_all_others) {
    Member one(1), two(2);
    IntrusiveList<Member> list;
    list.push_back(one);
    list.push_front(two);
    EXPECT_EQ(numbers(list), (std::vector<int>{2, 1}));
    list.pop_front();
    list.pop_front();
}

TEST(IntrusiveList, a_member_leaves_from_anywhere_without_its_list) {
    Member one(1), two(2), three(3);
    IntrusiveList<Member> list;
    for (Member* each : {&one, &two, &three}) list.push_back(*each);
    two.ListLink<>::unlink();
    EXPECT_EQ(numbers(list), (std::vector<int>{1, 3}));
    EXPECT_FALSE(two.ListLink<>::is_linked());
    one.ListLink<>::unlink();
    EXPECT_EQ(numbers(list), (std::vector<int>{3}));
    three.ListLink<>::unlink();
    EXPECT_TRUE(list.empty());
}

TEST(IntrusiveList, leaving_twice_is_harmless) {
    Member one(1);
    IntrusiveList<Member> list;
    one.ListLink<>::unlink();
    list.push_back(one);
    one.ListLink<>::unlink();
    one.ListLink<>::unlink();
    EXPECT_TRUE(list.empty());
    list.push_back(one);
    EXPECT_EQ(list.pop_front(), &one);
}

TEST(IntrusiveList, a_member_stands_in_one_list_a_tag) {
    Member one(1), two(2);
    IntrusiveList<Member, ByAge> by_age;
    IntrusiveList<Member, BySize> by_size;
    by_age.push_back(one);
    by_age.push_back(two);
    by_size.push_back(two);
    by_size.push_back(one);
    EXPECT_EQ(numbers(by_age), (std::vector<int>{1, 2}));
    EXPECT_EQ(numbers(by_size), (std::vector<int>{2, 1}));
    one.ListLink<ByAge>::unlink();
    EXPECT_EQ(numbers(by_size), (std::vector<int>{2, 1}));
    while (by_age.pop_front() != nullptr) {}
    while (by_size.pop_front() != nullptr) {}
}

TEST(IntrusiveList, is_like_a_list_in_random_steps) {
    std::mt19937 random(5);
    std::deque<Member> members(64);
    for (int i = 0; i < 64; ++i) members[static_cast<std::size_t>(i)].number = i;
    IntrusiveList<Member> list;
    std::list<int> model;
    for (int step = 0; step < 100'000; ++step) {
        Member& member = members[random() % members.size()];
        if (member.ListLink<>::is_linked()) {
            member.ListLink<>::unlink();
            model.remove(member.number);
        } else if (random() % 2 == 0) {
            list.push_back(member);
            model.push_back(member.number);
        } else {
            list.push_front(member);
            model.push_front(member.number);
        }
        if (step % 97 == 0) {
            ASSERT_EQ(numbers(list), std::vector<int>(model.begin(), model.end()));
        }
    }
    while (list.pop_front() != nullptr) {}
}

TEST(IntrusiveListDeathTest, a_list_must_not_die_before_its_members_leave) {
    EXPECT_DEATH(
        {
            Member one(1);
            IntrusiveList<Member> list;
            list.push_back(one);
        },
        "assertion failed");
}

TEST(IntrusiveListDeathTest, a_member_cannot_join_twice) {
    EXPECT_DEATH(
        {
            Member one(1);
            IntrusiveList<Member> list;
            list.push_back(one);
            list.push_back(one);
        },
        "assertion failed");
}

}  // namespace
}  // namespace ringlet
