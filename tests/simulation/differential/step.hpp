// Step: one thing that a program asks of its ring or of its System, told without numbers that
// differ from one machine to the next.
//
// A descriptor is a slot: the step that makes it names the slot, and each side keeps its own number
// there. A slot that nothing was put into stands for a number that is not open. So a sequence stays
// meaningful when steps are left out of it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet::differential {

enum class Verb : unsigned char {
    // of the System, answered at once
    socket,
    pipe,
    bind,
    listen,
    set_option,
    get_option,
    local_name,
    peer_name,
    credentials,
    permissions,
    // of the test: a buffer goes (back) into its group
    provide,
    // of the ring
    nop,
    read,
    write,
    receive,
    send,
    receive_message,
    send_message,
    accept,
    connect,
    shutdown,
    close,
    poll,
    open,
    sync,
    rename,
    unlink,
    make_folder,
    stat,
    cancel,             // the operation of step `target`
    cancel_descriptor,  // what works on `slot`
    cancel_any,
};

inline constexpr int no_slot = -1;

struct Address {
    enum class Kind : unsigned char {
        none,
        own_host,        // port 0 on the sequence's own loopback address
        any_host,        // port 0 on any address
        of_slot,         // what the socket in slot `number` is bound to
        nobody,          // a port where nobody is
        path,            // a Unix socket's file `number`
        no_such_folder,  // a Unix socket's file that cannot be made
        abstract,        // a Unix name without a file, `number`
        nameless,        // a Unix address that is only a family
        stub,            // an internet address that is cut off
    };
    Kind kind = Kind::none;
    int number = 0;
};

struct Step {
    Verb verb;
    int slot = no_slot;   // what it works on
    int other = no_slot;  // a folder that a path starts in, or a descriptor that is passed on
    int made = no_slot;   // what it makes
    int made_too = no_slot;
    unsigned size = 0;
    std::int64_t offset = -1;     // -1: at the file's position
    int flags = 0;                // of the call: O_*, MSG_*, POLL*, SHUT_*, ...
    int kind = 0;                 // of a socket: SOCK_*; of an option: its level
    int name = 0;                 // an option's
    int value = 0;                // an option's, a mode, a backlog, a buffer's number
    unsigned target = 0;          // the number of the step to cancel
    bool selects = false;         // a provided buffer
    bool through_worker = false;  // IOSQE_ASYNC
    Address address{};
    std::string_view path{};
    std::string_view new_path{};
};

using Sequence = std::vector<Step>;

// ---- in words ----

inline std::string_view word(Verb verb) {
    constexpr std::array<std::string_view, 32> words{"socket",
                                                     "pipe",
                                                     "bind",
                                                     "listen",
                                                     "set_option",
                                                     "get_option",
                                                     "local_name",
                                                     "peer_name",
                                                     "credentials",
                                                     "permissions",
                                                     "provide",
                                                     "nop",
                                                     "read",
                                                     "write",
                                                     "receive",
                                                     "send",
                                                     "receive_message",
                                                     "send_message",
                                                     "accept",
                                                     "connect",
                                                     "shutdown",
                                                     "close",
                                                     "poll",
                                                     "open",
                                                     "sync",
                                                     "rename",
                                                     "unlink",
                                                     "make_folder",
                                                     "stat",
                                                     "cancel",
                                                     "cancel_descriptor",
                                                     "cancel_any"};
    return words[static_cast<std::size_t>(verb)];
}

inline std::string text(const Address& address) {
    constexpr std::array<std::string_view, 10> words{
        "none", "own_host:0",     "any_host:0", "name_of",  "nobody",
        "path", "no_such_folder", "abstract",   "nameless", "stub"};
    std::string out(words[static_cast<std::size_t>(address.kind)]);
    using Kind = Address::Kind;
    const bool numbered = address.kind == Kind::of_slot || address.kind == Kind::path ||
                          address.kind == Kind::abstract;
    return numbered ? out + "(" + std::to_string(address.number) + ")" : out;
}

// As `7: receive slot 3 size 20 flags 0x40`: what is not said has its default.
inline std::string text(const Step& step, unsigned number) {
    std::string out = std::to_string(number) + ": " + std::string(word(step.verb));
    const auto say = [&](std::string_view name, std::int64_t value, std::int64_t unsaid) {
        if (value != unsaid) out += " " + std::string(name) + " " + std::to_string(value);
    };
    say("slot", step.slot, no_slot);
    say("other", step.other, no_slot);
    say("size", step.size, 0);
    say("offset", step.offset, -1);
    say("kind", step.kind, 0);
    say("name", step.name, 0);
    say("value", step.value, 0);
    say("target", step.target, 0);
    std::array<char, 24> flags{};
    std::snprintf(flags.data(), flags.size(), " flags 0x%x", static_cast<unsigned>(step.flags));
    if (step.flags != 0) out += flags.data();
    if (step.selects) out += " selecting a buffer";
    if (step.through_worker) out += " through a worker";
    if (step.address.kind != Address::Kind::none) out += " to " + text(step.address);
    if (step.path.data() != nullptr) out += " '" + std::string(step.path.substr(0, 40)) + "'";
    if (step.new_path.data() != nullptr)
        out += " -> '" + std::string(step.new_path.substr(0, 40)) + "'";
    say("=> slot", step.made, no_slot);
    say("and slot", step.made_too, no_slot);
    return out;
}

}  // namespace ringlet::differential
