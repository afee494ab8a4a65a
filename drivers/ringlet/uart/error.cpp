// The words of the UART driver's errors.
#include <ringlet/uart/error.hpp>

namespace ringlet::uart {
namespace {

const char* words_of(Error error) {
    if (error == Detail::baud) return "the serial port cannot have that speed";
    if (error == Detail::format) {
        return "the serial port cannot have those data bits, parity, stop bits or flow control";
    }
    if (error == Detail::path) return "the path of a serial line has 1 to 255 bytes";
    if (error == Detail::settings) {
        return "settings of a serial line are written as in 115200,8N1 or 19200,7E2,rtscts";
    }
    if (error == Detail::rs485) {
        return "the serial port cannot be RS-485 with that RTS, those delays or receive_own";
    }
    return nullptr;
}

const DomainWords words(domain, words_of);

}  // namespace

Error error_of(Detail detail) {
    RINGLET_ASSERT(detail != Detail::none);
    return {std::errc::invalid_argument, domain, static_cast<std::uint16_t>(detail)};
}

}  // namespace ringlet::uart
