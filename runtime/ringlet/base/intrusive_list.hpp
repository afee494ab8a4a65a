// A doubly linked list whose links live in its members: waiting costs no memory but the waiter's.
//
// A member derives from ListLink<Tag>; the tag lets it stand in several lists. The list is a ring
// through a sentinel, so a member can leave without knowing its list.
#pragma once

#include <ringlet/base/panic.hpp>

namespace ringlet {

template <class Tag = void>
class ListLink {
public:
    constexpr ListLink() : next_(this), previous_(this) {}
    ListLink(const ListLink&) = delete;
    ListLink& operator=(const ListLink&) = delete;

    bool is_linked() const { return next_ != this; }

    // Leaves the list; harmless if in none.
    void unlink() {
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = previous_ = this;
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

    ListLink* next_;
    ListLink* previous_;
};

// First in, first out. T derives from ListLink<Tag>. The list owns nothing, and outlives its
// members' stay.
template <class T, class Tag = void>
class IntrusiveList {
    using Link = ListLink<Tag>;

public:
    constexpr IntrusiveList() = default;
    ~IntrusiveList() { RINGLET_ASSERT(empty()); }

    bool empty() const { return !head_.is_linked(); }
    T* front() const { return empty() ? nullptr : member(head_.next_); }
    void push_back(T& item) { link(item).insert_before(head_); }
    void push_front(T& item) { link(item).insert_before(*head_.next_); }

    T* pop_front() {
        T* first = front();
        if (first != nullptr) link(*first).unlink();
        return first;
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
