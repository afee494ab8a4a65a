// Asio has neither semaphore nor mutex; its users take a channel with a place for each permit:
// who has sent into it holds one.
#pragma once

#include <memory>

#include "asio.hpp"

namespace bench {

using Permits = Channel<void(error_code)>;

inline Awaitable<> take_turns(std::shared_ptr<Permits> permits, std::int64_t count) {
    for (; count > 0; count--) {
        if (!permits->try_send(error_code())) co_await permits->async_send(error_code(), deferred);
        co_await asio::post(deferred);
        permits->try_receive([](error_code) {});
    }
}

inline void measure_permits(const char* name, std::int64_t ops, std::size_t count) {
    static constexpr std::int64_t tasks = 10;
    measure(name, ops, nullptr, [count](Executor executor, std::int64_t turns) {
        const auto permits = std::make_shared<Permits>(executor, count);
        for (std::int64_t i = 0; i < tasks; i++) {
            spawn(executor, take_turns(permits, part(turns, tasks, i)));
        }
    });
}

}  // namespace bench
