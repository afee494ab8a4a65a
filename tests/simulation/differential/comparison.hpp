// Comparison: one sequence on the simulated ring and on the kernel's, step by step.
//
// The simulation goes first and tells which operations end with the step. Then the kernel does the
// same, and is given time until those have ended; more than those, others, or other answers are a
// difference. So nothing depends on how fast the machine is.
//
// Where the kernel is free, nothing is compared: completions of one step are a set; a step is left
// out that would wait for what a parked operation waits for already (either may get it), or that
// would cancel one of several.
#pragma once

#include "party_steps.hpp"

#include <ringlet/ring/kernel_ring.hpp>
#include <ringlet/ring/kernel_system.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

namespace ringlet::differential {

struct Difference {
    bool found = false;
    unsigned step = 0;
    std::string simulated;
    std::string kernel;
};

struct Outcome {
    Difference difference;
    unsigned steps = 0;    // carried out
    unsigned skipped = 0;  // where the kernel is free
};

// The kernel's ring and its folder, for all sequences of a test.
class KernelGround {
public:
    static constexpr RingSize ring_size{64, 256};

    KernelGround() {
        const auto opened = ring.open(ring_size, 2, 4);
        if (!opened) refused = refusal(opened.error()).c_str();
        system.prepare_process();
        mask_ = ::umask(0);
        auto base = std::filesystem::temp_directory_path().string();
        if (base.size() > 60) base = "/tmp";  // a Unix socket's path is short
        folder = base + "/ringlet-differential-XXXXXX";
        RINGLET_ASSERT(::mkdtemp(folder.data()) != nullptr);
    }
    ~KernelGround() {
        ::umask(mask_);
        std::filesystem::remove_all(folder);
    }
    KernelGround(const KernelGround&) = delete;

    KernelRing ring;
    KernelSystem system;
    std::string refused;  // empty: it is not
    std::string folder;

private:
    mode_t mask_;
};

class Comparison {
public:
    // `patience`: how long the kernel is waited for, at most, in each step.
    Comparison(KernelGround& ground, std::uint64_t seed,
               std::chrono::milliseconds patience = std::chrono::seconds(2));
    ~Comparison();
    Comparison(const Comparison&) = delete;

    Outcome run(const Sequence& sequence);

private:
    // What an operation that is parked in the simulation may take.
    enum Direction : unsigned { none = 0, in = 1, out = 2 };
    struct Parked {
        unsigned step;
        const testing::Object* object;
        unsigned directions;
        bool polls;
        bool selects;
    };

    static testing::SimulationOptions small_world() {
        return {.descriptors = 128,
                .pipes = 16,
                .sockets = 40,
                .datagram_sockets = 24,
                .datagrams = 64,
                .files = 40};
    }

    testing::Object* object_of(const Step& step) {
        return world_.descriptors().at(simulated_.descriptor(step.slot));
    }
    unsigned parked_on(const testing::Object* object) const;
    bool is_free(const Step& step);
    void park(const Step& step, unsigned number, const testing::Object* object);
    bool compare(Difference& difference, unsigned step);
    void await(const std::vector<Observation>& expected);
    bool same(const Observation& simulated, const Observation& kernel);
    bool waited_and_polled(const Observation& seen, unsigned now) const;
    void note_wear(const Step& step, testing::Object* object);
    bool same_name(const SocketAddress& simulated, const SocketAddress& kernel);
    bool one_step(Step step, unsigned number, Outcome& outcome);
    bool finish(unsigned number, Outcome& outcome);
    void clean_up();

    std::chrono::milliseconds patience_;
    std::string folder_;
    testing::World world_;
    testing::SimulatedSystem system_{world_};
    testing::SimulatedRing ring_{world_, KernelGround::ring_size};
    Party simulated_;
    Party kernel_;
    std::vector<Parked> parked_;
    std::vector<const testing::Object*> senders_;  // Unix datagram sockets that have sent
    std::vector<const testing::Object*> worn_;     // TCP sockets that had a connection, or none
    std::array<bool, ProvidedBuffers::count> provided_{};
    std::map<std::uint16_t, std::uint16_t> ports_;  // the kernel's for the simulation's
};

// ---- a world for each side ----

// Loopback addresses of the process's and the sequence's own, so that nobody's ports are in the
// way: 127.128.0.0 and what follows.
inline std::uint32_t own_host(std::uint64_t seed) {
    const auto process = static_cast<std::uint32_t>(::getpid()) & 0x3f;
    return 0x7f800001u | process << 16 | (static_cast<std::uint32_t>(seed) & 0x7fff) << 1;
}

inline Comparison::Comparison(KernelGround& ground, std::uint64_t seed,
                              std::chrono::milliseconds patience)
    : patience_(patience), folder_(ground.folder + "/" + std::to_string(seed)),
      world_(small_world()), simulated_(ring_, system_, folder_, own_host(seed)),
      kernel_(ground.ring, ground.system, folder_, own_host(seed)) {
    RINGLET_ASSERT(::mkdir(folder_.c_str(), 0755) == 0);
    for (std::size_t end = folder_.find('/', 1); end != std::string::npos;
         end = folder_.find('/', end + 1)) {
        world_.make_folder(folder_.substr(0, end).c_str());
    }
    world_.make_folder(folder_.c_str());
}

inline Comparison::~Comparison() {
    clean_up();
    std::filesystem::remove_all(folder_);
}

// Whatever is left, of both.
inline void Comparison::clean_up() {
    Party* const parties[] = {&simulated_, &kernel_};
    for (Party* party : parties) {
        party->start({.verb = Verb::cancel_any}, party->next_number());
        for (int tries = 0; party->pending() != 0 && tries < 200; ++tries)
            party->look(Ring::Wait::for_one, std::chrono::milliseconds(10));
        if (party->pending() != 0) party->abandon();
    }
    for (unsigned slot = 0; slot < kernel_.slots(); ++slot) {
        const int number = kernel_.descriptor(static_cast<int>(slot));
        const linger at_once{.l_onoff = 1, .l_linger = 0};  // no port stays in TIME_WAIT
        ::setsockopt(number, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(number);
    }
}

// ---- where the kernel is free ----

inline unsigned directions_of(const Step& step) {
    switch (step.verb) {
        case Verb::read:
        case Verb::receive:
        case Verb::receive_message:
        case Verb::accept: return 1;
        case Verb::write:
        case Verb::send:
        case Verb::send_message:
        case Verb::connect: return 2;
        case Verb::poll: return 3;  // whatever it asks for, it is told errors
        default: return 0;
    }
}

inline unsigned Comparison::parked_on(const testing::Object* object) const {
    return static_cast<unsigned>(std::count_if(
        parked_.begin(), parked_.end(), [=](const Parked& it) { return it.object == object; }));
}

// What Linux 6.1 and later ones do differently, in corners where no program goes.
inline bool is_version_dependent(const Step& step, testing::Object* object) {
    testing::Socket* const socket = object != nullptr ? object->as_socket() : nullptr;
    if (socket == nullptr) return false;
    const testing::DatagramSocket* const datagrams = socket->as_datagram();
    if (datagrams == nullptr) {
        // Difference 2.
        const bool starts =
            step.verb == Verb::bind || step.verb == Verb::listen || step.verb == Verb::connect;
        return starts && !socket->is_unix() && socket->remote.size != 0 && !socket->has_peer();
    }
    const bool sends = directions_of(step) == 2;
    const bool nowhere = step.address.kind == Address::Kind::none && socket->remote.size == 0;
    // Difference 10: to port 0.
    const bool no_port = step.address.kind == Address::Kind::own_host;
    if (step.verb == Verb::connect && !socket->is_unix() && no_port) return true;
    if (sends && socket->is_unix() && nowhere && datagrams->write_is_shut()) return true;
    return step.selects && datagrams->read_is_shut();
}

inline bool Comparison::is_free(const Step& step) {
    testing::Object* const object = object_of(step);
    if (step.verb == Verb::provide) return provided_[static_cast<std::size_t>(step.value)];
    // Difference 2: what else a TCP socket can do that was refused, or whose connection was made.
    const bool worn = std::find(worn_.begin(), worn_.end(), object) != worn_.end();
    if (worn && object != nullptr && step.verb != Verb::close) return true;
    if (is_version_dependent(step, object)) return true;
    // Difference 3: how much there is room for.
    if (step.size > 60'000 && object != nullptr && !S_ISFIFO(object->mode())) return true;
    // Difference 5: a sender's name is that of the time of sending.
    const bool sent = std::find(senders_.begin(), senders_.end(), object) != senders_.end();
    if (step.verb == Verb::bind && sent) return true;
    // Difference 4: of what is no file, permissions cannot be set.
    if (step.verb == Verb::permissions && object != nullptr && object->as_file() == nullptr) {
        return true;
    }
    if (step.verb == Verb::cancel_descriptor && step.value == 0) return parked_on(object) > 1;
    // When a socket goes that was closed under an operation, is between the two of them.
    const bool stays = step.verb == Verb::close && parked_on(object) != 0;
    if (stays && object->as_socket() != nullptr) return true;
    const unsigned directions = directions_of(step);
    return std::any_of(parked_.begin(), parked_.end(), [&](const Parked& it) {
        const bool both_poll = it.polls && step.verb == Verb::poll;
        const bool ends = step.verb == Verb::shutdown && it.selects;  // see above: a buffer
        if (ends && object != nullptr && it.object == object) return true;
        return object != nullptr && it.object == object && (it.directions & directions) != 0 &&
               !both_poll;
    });
}

// ---- comparing ----

// The name that a Unix socket gets by itself: a zero and five digits.
inline bool is_made_up(const SocketAddress& name) {
    constexpr std::size_t size = offsetof(sockaddr_un, sun_path) + 6;
    return name.storage.ss_family == AF_UNIX && name.size == size &&
           testing::unix_name(name).front() == '\0';
}

inline bool Comparison::same_name(const SocketAddress& simulated, const SocketAddress& kernel) {
    if (simulated.size != kernel.size) return false;
    if (is_made_up(simulated) && is_made_up(kernel)) return true;
    SocketAddress mapped = kernel;
    if (simulated.storage.ss_family == AF_INET && kernel.storage.ss_family == AF_INET) {
        const std::uint16_t port = testing::port_of(simulated);
        const auto known = ports_.try_emplace(port, testing::port_of(kernel)).first;
        if ((port == 0) != (known->second == 0)) return false;
        if (known->second != testing::port_of(kernel)) return false;
        testing::set_port(mapped, port);
    }
    return std::memcmp(&simulated.storage, &mapped.storage, simulated.size) == 0;
}

inline bool Comparison::same(const Observation& simulated, const Observation& kernel) {
    if (simulated.name.has_value() != kernel.name.has_value()) return false;
    if (simulated.name && !same_name(*simulated.name, *kernel.name)) return false;
    return simulated.step == kernel.step && simulated.result == kernel.result &&
           simulated.flags == kernel.flags && simulated.message_flags == kernel.message_flags &&
           simulated.passed == kernel.passed && simulated.bytes == kernel.bytes;
}

// Gives the kernel the time that it needs for what ended in the simulation.
inline void Comparison::await(const std::vector<Observation>& expected) {
    const auto has_all = [&] {
        return std::all_of(expected.begin(), expected.end(), [&](const Observation& one) {
            const auto& seen = kernel_.observations();
            return std::any_of(seen.begin(), seen.end(),
                               [&](const Observation& other) { return other.step == one.step; });
        });
    };
    kernel_.look();
    const auto until = std::chrono::steady_clock::now() + patience_;
    while (!has_all() && std::chrono::steady_clock::now() < until)
        kernel_.look(Ring::Wait::for_one, std::chrono::milliseconds(5));
    kernel_.look();  // and more than those?
}

// Difference 1: which of the events a poll tells that had to wait.
inline bool Comparison::waited_and_polled(const Observation& seen, unsigned now) const {
    return seen.step != now && std::any_of(parked_.begin(), parked_.end(), [&](const Parked& it) {
               return it.step == seen.step && it.polls;
           });
}

inline bool Comparison::compare(Difference& difference, unsigned step) {
    simulated_.look();
    std::vector<Observation> expected = simulated_.take_observations();
    await(expected);
    std::vector<Observation> seen = kernel_.take_observations();
    const auto by_step = [](const Observation& one, const Observation& other) {
        return one.step < other.step;
    };
    std::sort(expected.begin(), expected.end(), by_step);
    std::sort(seen.begin(), seen.end(), by_step);
    const bool equal =
        std::equal(expected.begin(), expected.end(), seen.begin(), seen.end(),
                   [&](const auto& one, const auto& other) {
                       if (!waited_and_polled(one, step)) return same(one, other);
                       return one.step == other.step && (one.result > 0) == (other.result > 0);
                   });
    for (const Observation& one : expected) {
        std::erase_if(parked_, [&](const Parked& it) { return it.step == one.step; });
        if ((one.flags & IORING_CQE_F_BUFFER) != 0) provided_[one.flags >> 16] = false;
    }
    if (equal) return true;
    difference.found = true;
    difference.step = step;
    for (const Observation& one : expected)
        difference.simulated += "    " + text(one) + "\n";
    for (const Observation& one : seen)
        difference.kernel += "    " + text(one) + "\n";
    return false;
}

// ---- the run ----

inline void Comparison::note_wear(const Step& step, testing::Object* object) {
    if (step.verb == Verb::close) {  // another may get its place
        std::erase(worn_, object);
        std::erase(senders_, object);
    }
    const bool sends = directions_of(step) == 2 && step.verb != Verb::connect;
    if (object == nullptr || object->as_socket() == nullptr) return;
    const testing::Socket& socket = *object->as_socket();
    if (socket.type() == SOCK_DGRAM && socket.is_unix() && sends) senders_.push_back(object);
    if (socket.type() != SOCK_STREAM || socket.is_unix()) return;
    const bool refused = step.verb == Verb::connect && !socket.has_peer();
    const bool ended = step.verb == Verb::shutdown && socket.local.size != 0 &&
                       socket.remote.size == 0 && !socket.is_listening();
    if (refused || ended) worn_.push_back(object);
}

inline void Comparison::park(const Step& step, unsigned number, const testing::Object* object) {
    if (!simulated_.is_pending(number)) return;
    parked_.push_back({number, object, directions_of(step), step.verb == Verb::poll, step.selects});
}

inline bool Comparison::one_step(Step step, unsigned number, Outcome& outcome) {
    if (is_free(step)) {
        ++outcome.skipped;
        return true;
    }
    ++outcome.steps;
    testing::Object* const object = object_of(step);
    // What a worker does with a socket may come after the next step.
    if (object != nullptr && object->as_file() == nullptr) step.through_worker = false;
    simulated_.start(step, number);
    park(step, number, object);
    kernel_.start(step, number);
    if (step.verb == Verb::provide) provided_[static_cast<std::size_t>(step.value)] = true;
    const bool equal = compare(outcome.difference, number);
    note_wear(step, object);
    return equal;
}

// What is still pending, is on both sides; then all is closed.
inline bool Comparison::finish(unsigned number, Outcome& outcome) {
    if (!one_step({.verb = Verb::cancel_any}, number, outcome)) return false;
    for (unsigned slot = 0; slot < simulated_.slots(); ++slot) {
        const int which = static_cast<int>(slot);
        if (object_of({.verb = Verb::close, .slot = which}) == nullptr) continue;
        if (world_.descriptors().at(simulated_.descriptor(which))->as_socket() != nullptr) continue;
        const Step closing{.verb = Verb::close, .slot = which};
        if (!one_step(closing, number + 1 + slot, outcome)) return false;
    }
    return true;
}

inline Outcome Comparison::run(const Sequence& sequence) {
    Outcome outcome;
    unsigned number = 0;
    for (const Step& step : sequence)
        if (!one_step(step, number++, outcome)) return outcome;
    finish(number, outcome);
    return outcome;
}

}  // namespace ringlet::differential
