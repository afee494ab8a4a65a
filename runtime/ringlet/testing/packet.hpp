// Packet: a datagram in a queue, or on its way there.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/base/units.hpp>
#include <ringlet/testing/message.hpp>

#include <cstring>
#include <deque>
#include <memory>

namespace ringlet::testing {

struct Packet : ListLink<> {
    static constexpr std::size_t bytes_max = 64_KiB;

    // The storage is left untouched, so that a large world costs no time to build.
    std::unique_ptr<std::byte[]> bytes = std::make_unique_for_overwrite<std::byte[]>(bytes_max);
    std::size_t size = 0;
    SocketAddress from;  // size 0: nobody with a name
    SocketAddress to;    // of one that is late
    Instant due = 0;     // of one that is late
    Rights rights;
};

// All packets of a world.
class Packets {
public:
    explicit Packets(unsigned count) : packets_(count) {
        for (Packet& packet : packets_)
            free_.push_back(packet);
    }
    ~Packets() {
        while (free_.pop_front() != nullptr) {
        }
    }

    // Null if all are on their way or in a queue. `bytes` fit.
    Packet* take(std::span<const std::byte> bytes) {
        Packet* packet = free_.pop_front();
        if (packet == nullptr) return nullptr;
        if (!bytes.empty()) std::memcpy(packet->bytes.get(), bytes.data(), bytes.size());
        packet->size = bytes.size();
        packet->from = packet->to = {};
        return packet;
    }
    void give_back(Packet& packet) {
        packet.rights.drop();
        free_.push_back(packet);
    }

private:
    std::deque<Packet> packets_;
    IntrusiveList<Packet> free_;
};

}  // namespace ringlet::testing
