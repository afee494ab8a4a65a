// What the programs for Boost.Asio share. As its users do who care for speed: one thread and no
// locks, the executor's own type in place of any_io_executor, and `deferred`, which needs no
// coroutine frame for an operation.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <chrono>
#include <exception>

#include "../common/measure.hpp"

namespace bench {

namespace asio = boost::asio;
using asio::deferred;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Clock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

template <class T = void>
using Awaitable = asio::awaitable<T, Executor>;

template <class... Signatures>
using Channel = asio::experimental::channel<Executor, Signatures...>;

inline constexpr asio::use_awaitable_t<Executor> use_awaitable;

inline Timer::time_point time_point(Nanoseconds at) {
    return Timer::time_point(std::chrono::nanoseconds(at));
}

// In the background. What it throws ends the program: asio::detached would drop it.
inline void spawn(Executor executor, Awaitable<> task) {
    asio::co_spawn(executor, std::move(task), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
}

inline Awaitable<> yield_once() {
    co_await asio::post(deferred);
}

// `start(executor, ops)` spawns tasks that do so many operations and then end.
template <class Start>
void measure(const char* name, std::int64_t ops, Latencies* latencies, Start start) {
    asio::io_context context(1);
    measure(name, PEER, ops, latencies, [&](std::int64_t count) {
        start(context.get_executor(), count);
        context.run();
        context.restart();
    });
}

}  // namespace bench
