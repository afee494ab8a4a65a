// The words of the GPIO driver's errors.
#include <ringlet/gpio/error.hpp>

namespace ringlet::gpio {
namespace {

const char* words_of(Error error) {
    if (error == Detail::no_chip) return "there is no GPIO chip of that label or name";
    if (error == Detail::several_chips) return "lines of several GPIO chips in one request";
    return nullptr;
}

const DomainWords words(domain, words_of);

}  // namespace

Error error_of(Detail detail) {
    RINGLET_ASSERT(detail != Detail::none);
    const std::errc code = detail == Detail::no_chip ? std::errc::no_such_device
                                                     : std::errc::invalid_argument;
    return {code, domain, static_cast<std::uint16_t>(detail)};
}

}  // namespace ringlet::gpio
