// A ring of 64 items; who finds it full or empty waits in a list of its own, and is woken by the
// next item that goes out or in.
#include "loop.hpp"

namespace {

using limit::loop;

class Queue {
public:
    bool full() const { return in_ - out_ == bench::queue_places; }
    bool empty() const { return in_ == out_; }

    // Where the next item goes; put() then says that it is there.
    bench::Item& place() { return items_[in_ % bench::queue_places]; }
    void put() {
        ++in_;
        if (!getters.empty()) loop.ready(getters.pop());
    }
    bench::Item get() {
        const bench::Item item = items_[out_++ % bench::queue_places];
        if (!putters.empty()) loop.ready(putters.pop());
        return item;
    }

    limit::List putters;
    limit::List getters;

private:
    std::size_t in_ = 0;
    std::size_t out_ = 0;
    bench::Item items_[bench::queue_places];
};

Queue queue;
std::int64_t to_get = 0;

struct Producer : limit::Node {
    Producer() : Node{.run = &Producer::step} {}

    static void step(Node& node) {
        auto& self = static_cast<Producer&>(node);
        for (; self.left > 0; --self.left) {
            if (queue.full()) return queue.putters.push(self);
            for (std::uint64_t& word : queue.place().words) {
                word = static_cast<std::uint64_t>(self.left);
            }
            queue.put();
        }
    }

    std::int64_t left = 0;
};

struct Consumer : limit::Node {
    Consumer() : Node{.run = &Consumer::step} {}

    static void step(Node& node) {
        auto& self = static_cast<Consumer&>(node);
        for (;;) {
            if (queue.empty()) return queue.getters.push(self);
            const bench::Item item = queue.get();
            bench::keep(item);
            self.sum += item.words[0];
            if (--to_get == 0) loop.stop();
        }
    }

    std::uint64_t sum = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments arguments(argc, argv);
    std::vector<Producer> producers(static_cast<std::size_t>(arguments.number("producers", 1)));
    std::vector<Consumer> consumers(static_cast<std::size_t>(arguments.number("consumers", 1)));
    const auto count = static_cast<std::int64_t>(producers.size());
    const std::int64_t ops = arguments.number("ops", 20'000'000);
    for (Consumer& consumer : consumers) queue.getters.push(consumer);
    bench::measure("queue", "limit", ops, nullptr, [&](std::int64_t times) {
        to_get = times;
        for (std::int64_t i = 0; i < count; ++i) {
            producers[i].left = bench::part(times, count, i);
            loop.ready(producers[i]);
        }
        loop.run();
    });
    for (const Consumer& consumer : consumers) bench::keep(consumer.sum);
}
