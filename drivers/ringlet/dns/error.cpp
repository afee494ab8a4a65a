// The words of the resolver's errors.
#include <ringlet/dns/error.hpp>

namespace ringlet::dns {
namespace {

const char* words_of(Error error) {
    switch (detail_of(error)) {
        case Detail::none: return nullptr;
        case Detail::name_characters: return "a host name has letters, digits, '-', '_' and '.'";
        case Detail::name_shape:
            return "not a host name: an empty part, more than 63 characters in one or 253 in all, "
                   "or a number at the end";
        case Detail::not_ascii:
            return "an international host name has to be given in its \"xn--\" form";
        case Detail::not_found: return "there is no host of that name";
        case Detail::no_address: return "the host has no address of the wanted kind";
        case Detail::no_servers: return "no DNS server is configured";
        case Detail::no_answer: return "no DNS server answered in time";
        case Detail::unreachable: return "no DNS server could be reached";
        case Detail::server_failure: return "the DNS server could not look the name up";
        case Detail::refused: return "the DNS server refused to answer";
        case Detail::not_understood: return "the DNS server did not understand the question";
        case Detail::malformed: return "the DNS server's answer is malformed";
        case Detail::too_long: return "the DNS server's answer is longer than the limit";
        case Detail::memory: return "the DNS server's answer needs too much memory";
    }
    return nullptr;
}

std::errc code_of(Detail detail) {
    switch (detail) {
        case Detail::none:
        case Detail::unreachable: break;
        case Detail::name_characters:
        case Detail::name_shape:
        case Detail::not_ascii: return std::errc::invalid_argument;
        case Detail::not_found:
        case Detail::no_address: return std::errc::address_not_available;
        case Detail::no_servers: return std::errc::destination_address_required;
        case Detail::no_answer: return std::errc::timed_out;
        case Detail::server_failure: return std::errc::resource_unavailable_try_again;
        case Detail::refused: return std::errc::permission_denied;
        case Detail::not_understood: return std::errc::not_supported;
        case Detail::malformed: return std::errc::bad_message;
        case Detail::too_long: return std::errc::message_size;
        case Detail::memory: return std::errc::not_enough_memory;
    }
    panic("an error whose detail has no code", __FILE__, __LINE__);
}

const DomainWords words(domain, words_of);

}  // namespace

Error error_of(Detail detail) {
    return {code_of(detail), domain, static_cast<std::uint16_t>(detail)};
}

Error unreachable_error(std::errc code) {
    return {code, domain, static_cast<std::uint16_t>(Detail::unreachable)};
}

bool is_our_own(Error error) {
    return error.domain() == Domain::runtime || error == std::errc::too_many_files_open ||
           error == std::errc::too_many_files_open_in_system ||
           error == std::errc::not_enough_memory;
}

}  // namespace ringlet::dns
