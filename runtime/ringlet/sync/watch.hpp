// Watch: one value of which only the latest counts, such as a configuration or a state.
//
// Each set() makes a new version. A reader knows which version it has seen, and waits for a newer
// one; versions in between are skipped, so a slow reader holds nothing up and costs nothing.
#pragma once

#include <ringlet/sync/waiter.hpp>

#include <cstdint>
#include <optional>

namespace ringlet {

template <class T>
class Watch {
    struct Changing;

public:
    class Reader;
    class Changed;

    // Asserts on destruction that no reader is left.
    explicit Watch(T value) : value_(std::move(value)) {}
    ~Watch() { RINGLET_ASSERT(readers_ == 0); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // A reader that has seen the value of now. It must not outlive the watch.
    Reader reader() { return Reader(*this); }

    // A new version, also if the value is equal. False once closed: the value is not taken.
    bool set(T value) {
        if (closed_) return false;
        value_ = std::move(value);
        ++version_;
        wake_all(line_);
        return true;
    }
    const T& get() const { return value_; }

    // No more versions: readers see the last one, if they have not yet, then end.
    void close() {
        closed_ = true;
        wake_all(line_);
    }
    bool is_closed() const { return closed_; }

private:
    // A wake-up reserves nothing: the version stays unseen until the reader takes it.
    struct Changing : Waiter {
        static constexpr const char* reason = "watch.changed";

        Changing(const PendingHooks& kind, TaskBlock* waiter, Changed& what)
            : Waiter(kind, waiter), reader(what.reader_) {}
        bool try_now() {
            RINGLET_ASSERT(!reader.waiting_);  // two tasks share a reader
            return reader.has_changed() || reader.watch_.closed_;
        }
        void start() {
            const bool at_once = try_now();
            reader.waiting_ = true;
            at_once ? this->wake() : reader.watch_.line_.push_back(*this);
        }
        std::optional<T> value() {
            reader.waiting_ = false;
            if (!reader.has_changed()) return std::nullopt;
            return reader.latest();
        }
        static void cancel(Pending& pending) {
            leave_line(pending);
            revoke(pending);
        }
        static void revoke(Pending& pending) {
            static_cast<Changing&>(pending).reader.waiting_ = false;
        }

        Reader& reader;
    };

    IntrusiveList<Changing> line_;
    T value_;
    std::uint64_t version_ = 0;
    std::size_t readers_ = 0;
    bool closed_ = false;
};

// What one reader has seen. Used by one task at a time.
template <class T>
class [[nodiscard]] Watch<T>::Reader {
public:
    explicit Reader(Watch& watch) : watch_(watch), seen_(watch.version_) { ++watch_.readers_; }
    // Asserts that nobody waits with it.
    ~Reader() {
        RINGLET_ASSERT(!waiting_);
        --watch_.readers_;
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Waits for a version that this reader has not seen, and gives a copy of the latest; at once if
    // there is one. Empty once the watch is closed and its last version seen.
    //
    // Cancellation: nothing counts as seen.
    Changed changed() { return Changed(*this); }

    // Is there a version that this reader has not seen?
    bool has_changed() const { return seen_ != watch_.version_; }

    // The latest value, which counts as seen now. Valid until the next set().
    const T& latest() {
        seen_ = watch_.version_;
        return watch_.value_;
    }

private:
    friend class Watch;

    Watch& watch_;
    std::uint64_t seen_;
    bool waiting_ = false;
};

template <class T>
class [[nodiscard]] Watch<T>::Changed {
public:
    using Value = std::optional<T>;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<Changing, Value, catches>;

private:
    friend class Watch;
    explicit Changed(Reader& reader) : reader_(reader) {}

    Reader& reader_;
};

}  // namespace ringlet
