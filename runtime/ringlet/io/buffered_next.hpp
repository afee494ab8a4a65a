// BufferedNext: the await of a reader's next item, which costs nothing if the item is there.
//
// A line that was read already is given without a frame and without suspending; only when bytes
// must be fetched a Task is made for it.
#pragma once

#include <ringlet/task/task.hpp>

#include <optional>

namespace ringlet {

// `Reader` has
//   using Item
//   bool has_item()       an item is buffered: take_item() can give it
//   Item take_item()
//   Task<Item> fetch()    else: reads until there is one, or fails
template <class Reader>
class [[nodiscard]] BufferedNext {
public:
    using Value = typename Reader::Item;
    static constexpr bool is_leaf = false;
    template <bool catches>
    class Awaiter;

    explicit BufferedNext(Reader& reader) : reader_(reader) {}

private:
    Reader& reader_;
};

template <class Reader>
template <bool catches>
class BufferedNext<Reader>::Awaiter {
public:
    Awaiter(BufferedNext& next, TaskBlock&) : reader_(next.reader_) { cell_.catches = catches; }
    Awaiter(const Awaiter&) = delete;

    bool await_ready() { return reader_.has_item() && scheduler().may_go_on(); }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        TaskBlock& block = *caller.promise().block;
        if (block.cancelled) return block.stop_cancelled();
        Task<Value> task = reader_.fetch();
        if (!task.begin(block, &caller.promise(), cell_)) {
            const Error full(std::errc::not_enough_memory, RuntimeDetail::frames);
            return block.stop_with(full, catches);
        }
        fetching_ = true;
        block.step = Step::resume;
    }
    auto await_resume() {
        return deliver<Value, catches>(
            [this] { return fetching_ ? cell_.take() : reader_.take_item(); });
    }

private:
    Reader& reader_;
    Cell<Value> cell_;
    bool fetching_ = false;
};

}  // namespace ringlet
