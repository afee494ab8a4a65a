// The words of the CAN driver's errors.
#include <ringlet/can/error.hpp>

namespace ringlet::can {
namespace {

const char* words_of(Error error) {
    if (error == Detail::no_flexible_rate) return "CAN FD is not switched on";
    return nullptr;
}

const DomainWords words(domain, words_of);

}  // namespace

Error error_of(Detail detail) {
    RINGLET_ASSERT(detail != Detail::none);
    return {std::errc::operation_not_supported, domain, static_cast<std::uint16_t>(detail)};
}

}  // namespace ringlet::can
