// CanBus: a simulated CAN bus, and the interfaces that connect to it; for tests.
//
//   CanBus bus(world, {.bitrate = 500'000});
//   bus.add("can0");            // the program's
//   bus.add("can1");            // its peer's: another node on the same wire
//   bus.destroy(3);             // the next three frames meet an error on the wire
//
// A peer is a task that opens the other interface. Frames take their time on the wire; of those
// that wait in one instant, the lowest id goes first. Each interface keeps a few frames to be sent;
// one more is ENOBUFS. Errors are counted as ISO 11898-1 has it: a frame that was destroyed is sent
// again; after 256 errors of sending, an interface is off the bus until restart(). With nobody else
// there, nobody acknowledges, and a frame is sent again and again.
#pragma once

#include <ringlet/testing/can_network.hpp>

#include <deque>
#include <vector>

namespace ringlet::testing {

class CanBus;
class World;

struct CanBusOptions {
    unsigned bitrate = 500'000;         // bits a second
    unsigned data_bitrate = 2'000'000;  // of the data of CAN FD, if it is fast
    bool flexible = true;               // the controllers know CAN FD
    unsigned noise = 0;                 // per mille of the frames meet an error
    unsigned queue = 10;                // frames to be sent that an interface keeps
    bool bus_errors = false;            // each error is reported, not only changes of state
};

class CanInterface : public ListLink<> {
public:
    CanInterface(CanBus& bus, const char* name);
    ~CanInterface();

    const char* name() const { return name_; }
    int index() const { return index_; }
    bool is_flexible() const;
    bool is_up() const { return up_; }
    bool is_off() const { return off_; }
    unsigned send_errors() const { return send_errors_; }
    unsigned receive_errors() const { return receive_errors_; }
    std::size_t queued() const { return queue_.size(); }

    // Brings it down, or up again: `ip link set ... down`.
    void set_up(bool up);
    // After it was off the bus: `ip link set ... type can restart`.
    void restart();

    // For sockets: 0, or a negative errno.
    int send(const CanFrame& frame, CanSocket& from);
    void forget(const CanSocket& socket);

private:
    friend class CanBus;

    struct Queued {
        CanFrame frame;
        const CanSocket* from = nullptr;  // null once it is closed
    };

    bool takes_part() const { return up_ && !off_; }
    void sending_failed(canid_t why);
    void receiving_failed();
    void sent();
    void report(canid_t classes, std::uint8_t controller = 0);
    void tell_state();
    CanNetwork& network() const;

    CanBus& bus_;
    const char* name_;
    int index_;
    std::vector<Queued> queue_;  // never grows
    unsigned send_errors_ = 0;
    unsigned receive_errors_ = 0;
    unsigned told_ = 0;  // the last state: 0 active, 1 warning, 2 passive
    bool up_ = true;
    bool off_ = false;
};

class CanBus {
public:
    // The world outlives it.
    CanBus(World& world, const CanBusOptions& options = {}) : world_(world), options_(options) {}
    ~CanBus();
    CanBus(const CanBus&) = delete;
    CanBus& operator=(const CanBus&) = delete;

    // A new node, up. `name` is static text. Lives as long as the bus.
    CanInterface& add(const char* name) { return interfaces_.emplace_back(*this, name); }
    // So many frames from now on meet an error on the wire.
    void destroy(unsigned frames) { to_destroy_ = frames; }

    const CanBusOptions& options() const { return options_; }
    std::uint64_t carried() const { return carried_; }  // frames that arrived
    std::uint64_t errors() const { return errors_; }    // that were destroyed
    World& world() const { return world_; }

    // For interfaces: there is something to send.
    void look();

private:
    static void arbitrate(void* bus);
    static void finish(void* bus);
    void plan_arbitration(int bits);
    void arbitrate();
    void finish();
    bool has_others(const CanInterface& sender) const;
    bool meets_error();
    Nanoseconds time_of(const CanFrame& frame) const;

    World& world_;
    CanBusOptions options_;
    std::deque<CanInterface> interfaces_;
    CanInterface* sender_ = nullptr;  // whose frame is on the wire
    bool planned_ = false;            // arbitrate() or finish() is
    unsigned to_destroy_ = 0;
    std::uint64_t carried_ = 0;
    std::uint64_t errors_ = 0;
};

}  // namespace ringlet::testing
