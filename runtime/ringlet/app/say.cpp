#include <ringlet/app/say.hpp>

#include <ringlet/io/bytes.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/task/attempt.hpp>

namespace ringlet {

Task<void> say(std::string_view words) {
    const auto written = co_await attempt(standard_error().write_all(bytes_of(words)));
    static_cast<void>(written);
}

}  // namespace ringlet
