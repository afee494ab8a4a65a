// Generator: makes the sequence of a seed.
//
// It guesses what each slot will hold (a connect may fail, then the guess is wrong), and mostly
// picks a slot that fits what it wants to do; now and then any slot, or one that is not open.
// What belongs together (a listener, who connects to it, and the accepting) comes as a recipe, with
// other steps around it.
#pragma once

#include "step.hpp"

#include <ringlet/testing/random.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <initializer_list>
#include <span>

namespace ringlet::differential {

enum class Subject : unsigned char { pipes, files, tcp, unix_streams, datagrams, mixed };

class Generator {
public:
    Generator(Subject subject, std::uint64_t seed) : subject_(subject), random_(seed) {}

    Sequence make() {
        const unsigned size = between(20, 60);
        provide_some();
        for (unsigned i = between(1, 2); i > 0; --i)
            recipe();
        while (steps_.size() < size) {
            if (chance(6))
                recipe();
            else
                one();
        }
        return steps_;
    }

private:
    enum class Kind : unsigned char {
        tcp,
        tcp_listener,
        tcp_end,
        unix_stream,
        unix_listener,
        unix_end,
        udp,
        unix_datagrams,
        reader,
        writer,
        file,
        folder,
        gone,
    };
    using Kinds = std::initializer_list<Kind>;

    // ---- drawing ----

    unsigned between(unsigned least, unsigned most) {
        return static_cast<unsigned>(random_.between(least, most));
    }
    bool chance(unsigned percent) { return random_.between(1, 100) <= percent; }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return std::data(choices)[random_.between(0, choices.size() - 1)];
    }

    // ---- slots ----

    int fresh(Kind kind) {
        kinds_.push_back(kind);
        return static_cast<int>(kinds_.size()) - 1;
    }
    // One of these kinds; seldom any, or one that is not open.
    int pick(Kinds kinds) {
        if (kinds_.empty() || chance(1)) return no_slot;
        if (!chance(4)) {
            const unsigned start = between(0, static_cast<unsigned>(kinds_.size()) - 1);
            for (std::size_t i = 0; i < kinds_.size(); ++i) {
                const std::size_t slot = (start + i) % kinds_.size();
                for (const Kind kind : kinds)
                    if (kinds_[slot] == kind) return static_cast<int>(slot);
            }
        }
        return static_cast<int>(random_.between(0, kinds_.size() - 1));
    }
    static constexpr Kinds streams{Kind::tcp_end, Kind::unix_end};
    static constexpr Kinds sockets{Kind::tcp_end, Kind::unix_end,    Kind::udp,
                                   Kind::tcp,     Kind::unix_stream, Kind::unix_datagrams};
    int any_slot() {
        return pick({Kind::tcp, Kind::tcp_listener, Kind::tcp_end, Kind::unix_stream,
                     Kind::unix_listener, Kind::unix_end, Kind::udp, Kind::unix_datagrams,
                     Kind::reader, Kind::writer, Kind::file, Kind::folder});
    }

    Step& add(Step step) { return steps_.emplace_back(step); }
    unsigned next_number() const { return static_cast<unsigned>(steps_.size()); }

    // ---- recipes ----

    void recipe() {
        switch (subject_) {
            case Subject::pipes: return make_pipe();
            case Subject::files: return make_file();
            case Subject::tcp: return make_tcp();
            case Subject::unix_streams: return make_unix_stream();
            case Subject::datagrams: return chance(50) ? make_udp() : make_unix_datagrams();
            case Subject::mixed: break;
        }
        switch (between(0, 5)) {
            case 0: return make_pipe();
            case 1: return make_file();
            case 2: return make_tcp();
            case 3: return make_unix_stream();
            case 4: return make_udp();
            default: return make_unix_datagrams();
        }
    }

    void provide_some() {
        for (int id = 0; id < 4; ++id)
            if (chance(40)) add({.verb = Verb::provide, .value = id});
    }

    void make_pipe() {
        const int reader = fresh(Kind::reader);
        const int writer = fresh(Kind::writer);
        add({.verb = Verb::pipe, .made = reader, .made_too = writer});
    }

    void make_file() {
        if (chance(30)) {
            add({.verb = Verb::make_folder, .value = 0755, .path = one_of({"d", "e", "d/e"})});
        }
        if (chance(15)) {
            const int folder = fresh(Kind::folder);
            const auto path = one_of<std::string_view>({"d", "e", "."});
            add({.verb = Verb::open,
                 .made = folder,
                 .flags = O_RDONLY | O_DIRECTORY,
                 .path = path});
            return;
        }
        const int file = fresh(Kind::file);
        const int access = one_of({O_RDWR, O_RDWR, O_RDWR, O_WRONLY});
        const int flags = access | O_CREAT | (chance(15) ? O_APPEND : 0);
        add({.verb = Verb::open,
             .made = file,
             .flags = flags,
             .value = 0644,
             .path = plain_path()});
    }

    int socket(Kind kind, int family, int type) {
        const int made = fresh(kind);
        add({.verb = Verb::socket, .made = made, .kind = type, .value = family});
        return made;
    }

    void make_tcp() {
        const int listener = socket(Kind::tcp_listener, AF_INET, SOCK_STREAM);
        if (chance(30)) {
            add({.verb = Verb::set_option,
                 .slot = listener,
                 .kind = SOL_SOCKET,
                 .name = SO_REUSEADDR,
                 .value = 1});
        }
        const auto where = chance(80) ? Address::Kind::own_host : Address::Kind::any_host;
        if (!chance(8)) add({.verb = Verb::bind, .slot = listener, .address = {where}});
        connect_streams(listener, Kind::tcp_end, AF_INET);
    }

    void make_unix_stream() {
        const int listener = socket(Kind::unix_listener, AF_UNIX, SOCK_STREAM);
        add({.verb = Verb::bind, .slot = listener, .address = unix_name()});
        connect_streams(listener, Kind::unix_end, AF_UNIX);
    }

    void connect_streams(int listener, Kind end, int family) {
        add({.verb = Verb::listen, .slot = listener, .value = static_cast<int>(between(8, 20))});
        const bool accept_first = chance(30);
        const int server = fresh(end);
        const Step accepting{.verb = Verb::accept,
                             .slot = listener,
                             .made = server,
                             .size = between(0, 1),
                             .flags = SOCK_CLOEXEC};
        if (accept_first) add(accepting);
        const int client = socket(end, family, SOCK_STREAM);
        add({.verb = Verb::connect, .slot = client, .address = {Address::Kind::of_slot, listener}});
        if (chance(20)) one();
        if (!accept_first) add(accepting);
        if (chance(30)) add({.verb = Verb::close, .slot = listener});
    }

    void make_udp() {
        const int one = socket(Kind::udp, AF_INET, SOCK_DGRAM);
        const int other = socket(Kind::udp, AF_INET, SOCK_DGRAM);
        const auto where = chance(80) ? Address::Kind::own_host : Address::Kind::any_host;
        add({.verb = Verb::bind, .slot = one, .address = {where}});
        if (chance(60)) connect_to(other, one);
        if (chance(30)) connect_to(one, other);
    }

    void make_unix_datagrams() {
        const int one = socket(Kind::unix_datagrams, AF_UNIX, SOCK_DGRAM);
        const int other = socket(Kind::unix_datagrams, AF_UNIX, SOCK_DGRAM);
        add({.verb = Verb::bind, .slot = one, .address = unix_name()});
        if (chance(50)) add({.verb = Verb::bind, .slot = other, .address = unix_name()});
        if (chance(60)) connect_to(other, one);
        if (chance(30)) connect_to(one, other);
    }

    void connect_to(int slot, int target) {
        add({.verb = Verb::connect, .slot = slot, .address = {Address::Kind::of_slot, target}});
    }

    // ---- addresses and paths ----

    Address unix_name() {
        const int number = static_cast<int>(between(0, 3));
        return {chance(60) ? Address::Kind::path : Address::Kind::abstract, number};
    }
    Address bad_address() {
        using enum Address::Kind;
        const Address::Kind kind = one_of({none, nobody, no_such_folder, stub, own_host, nameless});
        return chance(30) ? unix_name() : Address{kind};
    }
    Address target(Kinds kinds) {
        return chance(8) ? bad_address() : Address{Address::Kind::of_slot, pick(kinds)};
    }

    std::string_view plain_path() {
        return one_of<std::string_view>({"a", "b", "c", "d/a", "d/b", "e/a", "d/e/a"});
    }
    std::string_view path() {
        static const std::string long_name(256, 'n');
        if (chance(60)) return plain_path();
        if (chance(50)) return one_of<std::string_view>({"d", "e", "d/e"});
        return one_of<std::string_view>({"", ".", "d/..", "d/.", "a/", "d/", "a/x", "none/x", "./b",
                                         "d/../a", ".//c", "d//a", "new/", long_name});
    }
    // Seldom from an open folder.
    int start() { return chance(15) ? pick({Kind::folder}) : no_slot; }

    // ---- single steps ----

    void one() {
        if (chance(4)) return cancel();
        if (chance(4)) {
            add({.verb = Verb::provide, .value = static_cast<int>(between(0, 3))});
            return;
        }
        if (chance(3)) {
            add({.verb = Verb::stat, .slot = any_slot(), .path = ""});
            return;
        }
        if (chance(5)) return close();
        if (chance(5)) {
            poll(any_slot());
            return;
        }
        switch (subject_) {
            case Subject::pipes: return pipe_step();
            case Subject::files: return file_step();
            case Subject::tcp:
            case Subject::unix_streams: return stream_step();
            case Subject::datagrams: return datagram_step();
            case Subject::mixed: break;
        }
        switch (between(0, 3)) {
            case 0: return pipe_step();
            case 1: return file_step();
            case 2: return stream_step();
            default: return datagram_step();
        }
    }

    void cancel() {
        const unsigned number = next_number();
        const unsigned aim = number == 0 ? 0 : between(number > 12 ? number - 12 : 0, number - 1);
        switch (between(0, 9)) {
            case 0: add({.verb = Verb::cancel_any}); return;
            case 1:
            case 2: add({.verb = Verb::cancel_descriptor, .slot = any_slot()}); return;
            case 3:
                add({.verb = Verb::cancel_descriptor, .slot = any_slot(), .value = 1});  // all
                return;
            case 4: add({.verb = Verb::cancel, .value = 1, .target = aim}); return;
            default: add({.verb = Verb::cancel, .target = aim}); return;
        }
    }

    void close() {
        const int slot = any_slot();
        if (slot >= 0) kinds_[static_cast<std::size_t>(slot)] = Kind::gone;
        add({.verb = Verb::close, .slot = slot});
    }

    void poll(int slot) {
        const int events = one_of<int>(
            {POLLIN, POLLOUT, POLLIN | POLLOUT, POLLRDHUP, POLLIN | POLLRDHUP, 0, POLLPRI});
        add({.verb = Verb::poll, .slot = slot, .flags = events});
    }

    unsigned size() {
        if (chance(8)) return 0;
        return chance(80) ? between(1, 40) : between(41, 300);
    }

    std::int64_t offset() {
        if (chance(55)) return -1;
        if (chance(8)) return one_of<std::int64_t>({-2, -4096, INT64_MIN});
        return chance(80) ? between(0, 120) : between(121, 9000);
    }

    void read(int slot, std::int64_t at) {
        const bool selects = chance(15);
        add({.verb = Verb::read,
             .slot = slot,
             .size = selects && chance(50) ? 0 : size(),
             .offset = at,
             .selects = selects});
    }
    void write(int slot, std::int64_t at) {
        add({.verb = Verb::write, .slot = slot, .size = size(), .offset = at});
    }

    void pipe_step() {
        switch (between(0, 9)) {
            case 0:
            case 1:
            case 2:
            case 3: return read(pick({Kind::reader}), chance(95) ? -1 : offset());
            case 4:
            case 5:
            case 6: return write(pick({Kind::writer}), chance(95) ? -1 : offset());
            case 7: return poll(pick({Kind::reader, Kind::writer}));
            case 8:
                if (chance(20)) {
                    add({.verb = Verb::write, .slot = pick({Kind::writer}), .size = 70000});
                    return;
                }
                if (chance(30)) {
                    add({.verb = Verb::read, .slot = pick({Kind::reader}), .size = 65536});
                    return;
                }
                return close();
            default:
                if (chance(50)) return cancel();
                add({.verb = Verb::receive, .slot = pick({Kind::reader, Kind::writer}), .size = 8});
        }
    }

    void file_step() {
        const Kinds files{Kind::file};
        const auto before = steps_.size();
        switch (between(0, 13)) {
            case 0:
            case 1:
            case 2: read(pick(files), offset()); break;
            case 3:
            case 4:
            case 5: write(pick(files), offset()); break;
            case 6: open_somehow(); break;
            case 7:
                if (chance(90)) {  // a disk takes its time for the other
                    add({.verb = Verb::stat, .other = start(), .path = path()});
                    break;
                }
                add({.verb = Verb::sync,
                     .slot = chance(80) ? pick(files) : any_slot(),
                     .flags = one_of({0, 0, 1, 1, 6})});
                break;
            case 8:
                add({.verb = Verb::rename,
                     .other = start(),
                     .flags = chance(80) ? 0 : one_of({1, 1, 8, 3}),
                     .path = path(),
                     .new_path = path()});
                break;
            case 9:
                add({.verb = Verb::unlink,
                     .other = start(),
                     .flags = chance(85) ? 0 : 1,
                     .path = path()});
                break;
            case 10:
                add({.verb = Verb::unlink,
                     .other = start(),
                     .flags = AT_REMOVEDIR,
                     .path = path()});
                break;
            case 11:
                add({.verb = Verb::make_folder,
                     .other = start(),
                     .value = chance(80) ? 0755 : 0700,
                     .path = path()});
                break;
            case 12: add({.verb = Verb::stat, .other = start(), .path = path()}); break;
            default:
                add({.verb = Verb::permissions,
                     .slot = pick(files),
                     .value = one_of({0600, 0644, 0755, 0640, 04755})});
        }
        if (steps_.size() > before && chance(10)) steps_.back().through_worker = true;
    }

    void open_somehow() {
        const int access = one_of({O_RDONLY, O_WRONLY, O_RDWR});
        int flags = access;
        for (const int flag : {O_EXCL, O_TRUNC, O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_LARGEFILE})
            if (chance(20)) flags |= flag;
        if (chance(45))
            flags |= O_CREAT;
        else if (chance(15))
            flags |= O_DIRECTORY;
        const int made = fresh(Kind::file);
        add({.verb = Verb::open,
             .other = start(),
             .made = made,
             .flags = flags,
             .value = one_of({0600, 0644, 0666, 0700}),
             .path = path()});
    }

    void stream_step() {
        const bool unix_only = subject_ == Subject::unix_streams;
        switch (between(0, 13)) {
            case 0:
            case 1:
            case 2: return receive(pick(streams));
            case 3:
            case 4:
            case 5: return send(pick(streams));
            case 6:
                return chance(50) ? read(pick(streams), chance(70) ? 0 : offset())
                                  : write(pick(streams), chance(70) ? 0 : offset());
            case 7:
                add({.verb = Verb::shutdown,
                     .slot = pick(streams),
                     .flags = chance(95) ? one_of({SHUT_RD, SHUT_WR, SHUT_WR, SHUT_RDWR}) : 7});
                return;
            case 8: return poll(pick(streams));
            case 9: return receive_message(pick(streams));
            case 10: return send_message(pick(streams), {Kind::unix_end, Kind::tcp_end});
            case 11: return names(pick(streams));
            case 12: return option(pick(streams));
            default: return set_up(unix_only ? AF_UNIX : chance(70) ? AF_INET : AF_UNIX);
        }
    }

    // Calls that are for listeners and fresh sockets, on anything.
    void set_up(int family) {
        const bool unix = family == AF_UNIX;
        const Kind plain = unix ? Kind::unix_stream : Kind::tcp;
        const Kind listening = unix ? Kind::unix_listener : Kind::tcp_listener;
        const Kind end = unix ? Kind::unix_end : Kind::tcp_end;
        switch (between(0, 6)) {
            case 0: socket(plain, family, SOCK_STREAM); return;
            case 1: {
                const int made = fresh(end);
                add({.verb = Verb::accept,
                     .slot = pick({listening}),
                     .made = made,
                     .size = between(0, 1),
                     .flags = chance(90) ? SOCK_CLOEXEC : 1});
                return;
            }
            case 2:
                add({.verb = Verb::connect,
                     .slot = pick({plain, end, listening}),
                     .address = target({listening})});
                return;
            case 3:
                add({.verb = Verb::bind,
                     .slot = pick({plain}),
                     .address = chance(50) ? (unix ? unix_name() : Address{Address::Kind::own_host})
                                           : target({listening})});
                return;
            case 4:
                add({.verb = Verb::listen,
                     .slot = pick({plain, listening, end}),
                     .value = chance(90) ? static_cast<int>(between(8, 20)) : -1});
                return;
            case 5:
                add({.verb = Verb::shutdown,
                     .slot = pick({plain, listening}),
                     .flags = one_of({SHUT_RD, SHUT_WR, SHUT_RDWR})});
                return;
            default: return names(pick({plain, listening}));
        }
    }

    void datagram_step() {
        const Kinds all{Kind::udp, Kind::unix_datagrams};
        const Kind kind = chance(50) ? Kind::udp : Kind::unix_datagrams;
        switch (between(0, 12)) {
            case 0:
            case 1: return receive(pick({kind}));
            case 2:
            case 3: return send(pick({kind}));
            case 4:
            case 5: return receive_message(pick({kind}));
            case 6:
            case 7: return send_message(pick({kind}), {kind});
            case 8:
                add({.verb = Verb::connect, .slot = pick({kind}), .address = target({kind})});
                return;
            case 9: return names(pick(all));
            case 10: return option(pick(all));
            case 11:
                if (chance(50)) {
                    add({.verb = Verb::shutdown,
                         .slot = pick(all),
                         .flags = one_of({SHUT_RD, SHUT_WR, SHUT_RDWR})});
                    return;
                }
                add({.verb = Verb::bind,
                     .slot = pick({kind}),
                     .address =
                         kind == Kind::udp ? Address{Address::Kind::own_host} : unix_name()});
                return;
            default: return poll(pick(all));
        }
    }

    int receive_flags() {
        int flags = chance(30) ? MSG_DONTWAIT : 0;
        if (chance(15))
            flags |= MSG_WAITALL;
        else if (chance(10))
            flags |= MSG_TRUNC;
        return flags;
    }
    void receive(int slot) {
        const bool selects = chance(15);
        add({.verb = Verb::receive,
             .slot = slot,
             .size = selects && chance(50) ? 0 : size(),
             .flags = receive_flags(),
             .selects = selects});
    }
    void send(int slot) {
        add({.verb = Verb::send,
             .slot = slot,
             .size = size(),
             .flags =
                 MSG_NOSIGNAL | (chance(20) ? MSG_WAITALL : 0) | (chance(20) ? MSG_DONTWAIT : 0)});
    }
    void receive_message(int slot) {
        Step step{.verb = Verb::receive_message,
                  .slot = slot,
                  .size = size(),
                  .flags = receive_flags() & ~MSG_WAITALL};
        if (chance(50)) step.made = fresh(Kind::reader);  // with room for a descriptor
        add(step);
    }
    void send_message(int slot, Kinds kinds) {
        Step step{.verb = Verb::send_message,
                  .slot = slot,
                  .size = size(),
                  .flags = MSG_NOSIGNAL | (chance(20) ? MSG_DONTWAIT : 0)};
        if (chance(60)) step.address = target(kinds);
        if (chance(25)) step.other = any_slot();
        add(step);
    }
    void names(int slot) {
        add({.verb = one_of({Verb::local_name, Verb::peer_name, Verb::credentials}), .slot = slot});
    }
    void option(int slot) {
        struct Option {
            int level, name;
        };
        const auto known = one_of<Option>({{SOL_SOCKET, SO_REUSEADDR},
                                           {SOL_SOCKET, SO_KEEPALIVE},
                                           {SOL_SOCKET, SO_BROADCAST},
                                           {SOL_SOCKET, SO_PRIORITY},
                                           {SOL_SOCKET, SO_TYPE},
                                           {SOL_SOCKET, SO_DOMAIN},
                                           {SOL_SOCKET, SO_ERROR},
                                           {SOL_SOCKET, SO_ACCEPTCONN},
                                           {SOL_SOCKET, 9999},
                                           {IPPROTO_TCP, TCP_NODELAY},
                                           {IPPROTO_TCP, 9999},
                                           {IPPROTO_IP, IP_TOS},
                                           {9999, 1}});
        // Without TCP_NODELAY, it would depend on acknowledgements when bytes arrive.
        const bool sets = chance(40) && known.name != TCP_NODELAY;
        add({.verb = sets ? Verb::set_option : Verb::get_option,
             .slot = slot,
             .kind = known.level,
             .name = known.name,
             .value = one_of({0, 1, 1, 4})});
    }

    Subject subject_;
    testing::Random random_;
    Sequence steps_;
    std::vector<Kind> kinds_;
};

}  // namespace ringlet::differential
