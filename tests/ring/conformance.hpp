// What the conformance tests stand on: one fixture, once on the kernel and once on the simulation.
//
// A case fills SQEs, and looks at results. It must not be able to tell which of the two it runs on.
#pragma once

#include <ringlet/ring/kernel_ring.hpp>
#include <ringlet/ring/kernel_system.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet {

// One side of the comparison.
struct Side {
    virtual ~Side() = default;
    virtual Ring& ring() = 0;
    virtual System& system() = 0;
    virtual std::string refused() { return {}; }  // empty: it is not
    virtual std::string folder() = 0;  // empty, for the test alone
    virtual void raise(int signal) = 0;
};

class KernelSide final : public Side {
public:
    KernelSide() {
        const auto opened = ring_.open({16, 64}, 2, 2);
        if (!opened) refused_ = refusal(opened.error()).c_str();
        std::signal(SIGPIPE, SIG_IGN);  // a write into a broken pipe raises it, also by io_uring
        ::mkdtemp(folder_.data());
    }
    ~KernelSide() override { std::filesystem::remove_all(folder_); }
    Ring& ring() override { return ring_; }
    System& system() override { return system_; }
    std::string refused() override { return refused_; }
    std::string folder() override { return folder_; }
    void raise(int signal) override { ::raise(signal); }

private:
    KernelRing ring_;
    KernelSystem system_;
    std::string refused_;
    std::string folder_ = "/tmp/ringlet-conformance-XXXXXX";
};

class SimulatedSide final : public Side {
public:
    Ring& ring() override { return ring_; }
    System& system() override { return system_; }
    std::string folder() override { return "/tmp"; }
    void raise(int signal) override { world_.raise(signal); }
    SimulatedSide() { world_.make_folder("/tmp"); }

private:
    testing::World world_;
    testing::SimulatedSystem system_{world_};
    testing::SimulatedRing ring_{world_, {16, 64}};
};

enum class On { kernel, simulation };

class Conformance : public ::testing::TestWithParam<On> {
protected:
    void SetUp() override {
        if (GetParam() == On::kernel)
            side_ = std::make_unique<KernelSide>();
        else
            side_ = std::make_unique<SimulatedSide>();
        if (!side_->refused().empty()) GTEST_SKIP() << side_->refused();
    }

    // For what a kernel once did otherwise; the simulation does as the newest.
    bool is_on_kernel_before(unsigned major, unsigned minor) {
        utsname name{};
        unsigned here[2] = {};
        if (GetParam() != On::kernel || ::uname(&name) != 0 ||
            std::sscanf(name.release, "%u.%u", &here[0], &here[1]) != 2) {
            return false;
        }
        return here[0] < major || (here[0] == major && here[1] < minor);
    }

    Ring& ring() { return side_->ring(); }
    System& system() { return side_->system(); }
    Side& side() { return *side_; }
    std::string path(const char* name) { return side_->folder() + "/" + name; }

    // Hands out an SQE, lets `prepare` fill it, and gives its user_data.
    template <class Prepare>
    std::uint64_t start(Prepare prepare, unsigned flags = 0) {
        io_uring_sqe& sqe = ring().next_sqe();
        prepare(&sqe);
        sqe.flags = static_cast<__u8>(sqe.flags | flags);
        sqe.user_data = ++last_id_;
        return last_id_;
    }

    // Waits for one operation; its completion is taken out.
    Completion completion(std::uint64_t id) {
        for (int tries = 0; tries < 100; ++tries) {
            for (std::size_t i = 0; i < seen_.size(); ++i) {
                if (seen_[i].user_data != id) continue;
                const Completion found = seen_[i];
                seen_.erase(seen_.begin() + static_cast<std::ptrdiff_t>(i));
                return found;
            }
            ring().enter(Ring::Wait::for_one, std::chrono::milliseconds(20));
            reap();
        }
        ADD_FAILURE() << "operation " << id << " never completed";
        return {id, -9999, 0};
    }

    int result(std::uint64_t id) { return completion(id).result; }

    template <class Prepare>
    int run(Prepare prepare, unsigned flags = 0) {
        return result(start(prepare, flags));
    }

    // Whether it is still under way, after the ring had the chance to complete it.
    bool is_pending(std::uint64_t id) {
        ring().enter(Ring::Wait::for_one, std::chrono::milliseconds(2));
        reap();
        for (const Completion& completion : seen_) {
            if (completion.user_data == id) return false;
        }
        return true;
    }

    // ---- operations that many cases need ----

    std::uint64_t start_read(int descriptor, std::span<char> out) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, descriptor, out.data(), static_cast<unsigned>(out.size()),
                               ~std::uint64_t{0});
        });
    }
    std::uint64_t start_receive(int descriptor, std::span<char> out, int flags = 0) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_recv(sqe, descriptor, out.data(), out.size(), flags);
        });
    }
    int write(int descriptor, std::string_view text, std::uint64_t at = ~std::uint64_t{0}) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_write(sqe, descriptor, text.data(), static_cast<unsigned>(text.size()),
                                at);
        });
    }
    int send(int descriptor, std::string_view text, int flags = MSG_NOSIGNAL) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_send(sqe, descriptor, text.data(), text.size(), flags);
        });
    }
    int receive(int descriptor, std::span<char> out, int flags = 0) {
        return result(start_receive(descriptor, out, flags));
    }
    int close(int descriptor) {
        return run([&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, descriptor); });
    }
    int shutdown(int descriptor, int how) {
        return run([&](io_uring_sqe* sqe) { io_uring_prep_shutdown(sqe, descriptor, how); });
    }
    int cancel(std::uint64_t id, int flags = 0) {
        return run([&](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, id, flags); });
    }
    std::uint64_t start_poll(int descriptor, unsigned events) {
        return start([&](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, descriptor, events); });
    }

    std::vector<Completion> seen_;

private:
    void reap() {
        std::array<Completion, 64> out;
        const std::size_t count = ring().reap(out);
        seen_.insert(seen_.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count));
        EXPECT_FALSE(ring().overflowed());
    }

    std::unique_ptr<Side> side_;
    std::uint64_t last_id_ = 0;
};

// ---- addresses ----

inline SocketAddress loopback(std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SocketAddress address;
    address.size = sizeof name;
    std::memcpy(&address.storage, &name, sizeof name);
    return address;
}

inline std::uint16_t port_of(const SocketAddress& address) {
    sockaddr_in name{};
    std::memcpy(&name, &address.storage, sizeof name);
    return ntohs(name.sin_port);
}

inline SocketAddress unix_address(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    SocketAddress address;
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    std::memcpy(&address.storage, &name, sizeof name);
    return address;
}

// ---- provided buffers ----

// A ring of four buffers of eight bytes, of which a case provides as many as it wants.
class Buffers {
public:
    Buffers()
        : ring_(static_cast<io_uring_buf_ring*>(
              ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0))) {
        io_uring_buf_ring_init(ring_);
    }
    ~Buffers() { ::munmap(ring_, 4096); }
    io_uring_buf_ring* ring() { return ring_; }
    void provide(unsigned short id) {
        io_uring_buf_ring_add(ring_, bytes_[id].data(), 8, id, io_uring_buf_ring_mask(4), 0);
        io_uring_buf_ring_advance(ring_, 1);
    }
    std::string_view text(unsigned short id, int size) const {
        return {bytes_[id].data(), static_cast<std::size_t>(size)};
    }

private:
    io_uring_buf_ring* ring_;
    std::array<std::array<char, 8>, 4> bytes_{};
};

inline constexpr unsigned short group = 7;

inline unsigned short buffer_id(const Completion& completion) {
    return static_cast<unsigned short>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
}

inline void prepare_selecting_read(io_uring_sqe* sqe, int descriptor) {
    io_uring_prep_read(sqe, descriptor, nullptr, 0, ~std::uint64_t{0});
    sqe->flags = IOSQE_BUFFER_SELECT;
    sqe->buf_group = group;
}

inline std::string side_name(const ::testing::TestParamInfo<On>& info) {
    return info.param == On::kernel ? "kernel" : "simulation";
}

}  // namespace ringlet
