// A doubly linked list whose links live in its members: waiting costs no memory but the waiter's.
//
// A member derives from ListLink<Tag>; the tag lets it stand in several lists. The list is a ring
// through a sentinel, so a member can leave without knowing its list.
#pragma once

#include <ringlet/base/panic.hpp>

#include <cstddef>

namespace ringlet {

template <class Tag = void>
class ListLink {
public:
    constexpr ListLink() = default;
    ListLink(const ListLink&) = delete;
    ListLink& operator=(const ListLink&) = delete;

    bool is_linked() const { return next_ != nullptr; }

    // Leaves the list; harmless if in none.
    void unlink() {
        if (!is_linked()) return;
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = nullptr;
    }

private:
    template <class T, class U>
    friend class IntrusiveList;

    void insert_before(ListLink& where) {
        RINGLET_ASSERT(!is_linked());
        next_ = &where;
        previous_ = where.previous_;
        previous_->next_ = this;
        where.previous_ = this;
    }

    ListLink* next_ = nullptr;
    ListLink* previous_ = nullptr;
};

// First in, first out. T derives from ListLink<Tag>. The list owns nothing, and outlives its
// members' stay.
template <class T, class Tag = void>
class IntrusiveList {
    using Link = ListLink<Tag>;

public:
    constexpr IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
    ~IntrusiveList() { RINGLET_ASSERT(empty()); }

    bool empty() const { return head_.next_ == &head_; }
    T* front() const { return empty() ? nullptr : member(head_.next_); }
    void push_back(T& item) { link(item).insert_before(head_); }
    void push_front(T& item) { link(item).insert_before(*head_.next_); }

    T* pop_front() {
        if (empty()) return nullptr;
        Link* const first = head_.next_;
        head_.next_ = first->next_;
        first->next_->previous_ = &head_;
        first->next_ = nullptr;
        return member(first);
    }

    // Walks through all.
    std::size_t count() const {
        std::size_t found = 0;
        for (const Link* at = head_.next_; at != &head_; at = at->next_) ++found;
        return found;
    }

    // The member behind `item`, or null. For walking: fetch the next before unlinking.
    T* after(const T& item) const {
        const Link* next = static_cast<const Link&>(item).next_;
        return next == &head_ ? nullptr : member(const_cast<Link*>(next));
    }

private:
    static Link& link(T& item) { return item; }
    static T* member(Link* link) { return static_cast<T*>(link); }

    Link head_;
};

}  // namespace ringlet
