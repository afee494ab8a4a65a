// Party: one side of the comparison, and what a program would see there.
//
// It carries out steps on a Ring and a System, whichever they are, keeps what an operation points
// to until its last completion has come, and writes down each answer as an Observation, from which
// everything that may differ between two runs (numbers of descriptors) is left out.
#pragma once

#include "step.hpp"

#include <ringlet/ring/ring.hpp>
#include <ringlet/ring/system.hpp>
#include <ringlet/testing/socket_names.hpp>

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace ringlet::differential {

// What one step brought, at once or by a completion.
struct Observation {
    unsigned step = 0;
    long result = 0;     // as the call gives it; 0 for every new descriptor
    unsigned flags = 0;  // a buffer's: whether there is one, and its number
    unsigned message_flags = 0;
    unsigned passed = 0;  // descriptors that came along
    std::optional<SocketAddress> name;
    std::string bytes;  // received; of a stat: the fields that are compared
};

inline std::string quoted(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes.substr(0, 64)) {
        const bool shown = byte >= ' ' && byte <= '~';
        std::array<char, 8> code{};
        std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned char>(byte));
        if (shown)
            out += byte;
        else
            out += code.data();
    }
    return "'" + out + (bytes.size() > 64 ? "'..." : "'");
}

inline std::string text(const Observation& seen) {
    std::string out = "step " + std::to_string(seen.step) + ": ";
    out += seen.result < 0 ? std::strerror(static_cast<int>(-seen.result))
                           : std::to_string(seen.result);
    if (seen.flags != 0) out += " flags " + std::to_string(seen.flags);
    if (seen.message_flags != 0) out += " message flags " + std::to_string(seen.message_flags);
    if (seen.passed != 0) out += " with " + std::to_string(seen.passed) + " descriptors";
    if (seen.name) {
        const auto* raw = reinterpret_cast<const char*>(&seen.name->storage);
        out += " name " + quoted({raw, std::min<std::size_t>(seen.name->size, 64)});
    }
    if (!seen.bytes.empty()) out += " " + quoted(seen.bytes);
    return out;
}

// Four provided buffers of sixteen bytes, of group 7.
class ProvidedBuffers {
public:
    static constexpr unsigned count = 4;
    static constexpr unsigned size = 16;
    static constexpr unsigned short group = 7;

    explicit ProvidedBuffers(Ring& ring) : ring_(ring) {
        buffers_ = static_cast<io_uring_buf_ring*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0));
        RINGLET_ASSERT(buffers_ != MAP_FAILED);
        io_uring_buf_ring_init(buffers_);
        RINGLET_ASSERT(ring_.register_buffer_ring(buffers_, count, group));
    }
    ~ProvidedBuffers() {
        RINGLET_ASSERT(ring_.unregister_buffer_ring(group));
        ::munmap(buffers_, 4096);
    }
    ProvidedBuffers(const ProvidedBuffers&) = delete;

    void provide(int id) {
        io_uring_buf_ring_add(buffers_, bytes_[static_cast<std::size_t>(id)].data(), size,
                              static_cast<unsigned short>(id), io_uring_buf_ring_mask(count), 0);
        io_uring_buf_ring_advance(buffers_, 1);
    }
    const char* at(unsigned id) const { return bytes_[id].data(); }

private:
    Ring& ring_;
    io_uring_buf_ring* buffers_;
    std::array<std::array<char, size>, count> bytes_{};
};

class Party {
public:
    // `folder`: where its files are, the same text on both sides; `host`: its loopback address.
    Party(Ring& ring, System& system, std::string folder, std::uint32_t host)
        : ring_(ring), system_(system), folder_(std::move(folder)), host_(host), buffers_(ring) {}

    // Carries a step out. What is answered at once is observed at once.
    void start(const Step& step, unsigned number);
    // Submits, and takes in the completions that are there.
    void look(Ring::Wait wait = Ring::Wait::no, Nanoseconds limit = {}) {
        ring_.enter(wait, limit);
        std::array<Completion, 64> out;
        const std::size_t count = ring_.reap(out);
        for (std::size_t i = 0; i < count; ++i)
            complete(out[i]);
        RINGLET_ASSERT(!ring_.overflowed());
    }
    std::vector<Observation> take_observations() { return std::exchange(seen_, {}); }
    const std::vector<Observation>& observations() const { return seen_; }

    unsigned pending() const { return pending_; }
    bool is_pending(unsigned step) const {
        return step < operations_.size() && operations_[step] != nullptr;
    }
    int descriptor(int slot) const {
        const bool known = slot >= 0 && static_cast<std::size_t>(slot) < slots_.size();
        return known ? slots_[static_cast<std::size_t>(slot)] : not_open;
    }
    unsigned slots() const { return static_cast<unsigned>(slots_.size()); }
    // A number that no step had yet.
    unsigned next_number() const { return static_cast<unsigned>(operations_.size()); }
    void forget(int slot) { put(slot, not_open); }

    // What an operation that never ended points to must not be freed.
    void abandon() {
        for (auto& operation : operations_)
            std::ignore = operation.release();
    }

private:
    static constexpr int not_open = 9999;

    // What the kernel may read and write while the operation is under way.
    struct Operation {
        Step step;
        std::string bytes;
        SocketAddress address;
        std::string path;
        std::string new_path;
        iovec vector{};
        msghdr header{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        struct statx stat{};
    };

    void put(int slot, int number) {
        if (slot < 0) return;
        if (slots_.size() <= static_cast<std::size_t>(slot)) {
            slots_.resize(static_cast<std::size_t>(slot) + 1, not_open);
        }
        slots_[static_cast<std::size_t>(slot)] = number;
    }

    int without_delay(int socket);
    SocketAddress resolve(const Address& address);
    SocketAddress unix_address(std::string_view name) const;
    void call(const Step& step, Observation& seen);
    void prepare(io_uring_sqe& sqe, const Step& step, Operation& operation);
    void prepare_message(Operation& operation);
    void complete(const Completion& completion);
    void observe_message(const Operation& operation, Observation& seen);
    std::string path_of(std::string_view path, int start) const {
        // An empty path stays one. What starts in a folder's descriptor must be relative, lest it
        // leave the folder.
        RINGLET_ASSERT(start == no_slot || !path.starts_with('/'));
        const bool whole = start == no_slot && !path.empty();
        return whole ? folder_ + "/" + std::string(path) : std::string(path);
    }

    Ring& ring_;
    System& system_;
    std::string folder_;
    std::uint32_t host_;
    ProvidedBuffers buffers_;
    std::vector<int> slots_;
    std::vector<std::unique_ptr<Operation>> operations_;  // by the number of their step
    std::vector<Observation> seen_;
    unsigned pending_ = 0;
};

}  // namespace ringlet::differential
