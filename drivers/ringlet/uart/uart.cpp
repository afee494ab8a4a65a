// Opening and letting go, and waiting for what is sent.
#include <ringlet/uart/uart.hpp>

#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>

namespace ringlet::uart {
namespace {

unsigned bits_of(const Options& options) {
    return 1 + options.data_bits + (options.parity == Parity::none ? 0 : 1) + options.stop_bits;
}

// A break ends with it.
class Break {
public:
    explicit Break(Port port) : port_(port) {}
    Break(const Break&) = delete;
    ~Break() { (void)port_.set_break(false); }

private:
    Port port_;
};

}  // namespace

Task<Uart> Uart::open(const char* path, Options options) {
    Uart uart(co_await Terminal::open(path, {.raw = false}));
    const auto before = uart.port().settings();
    if (!before) co_await fail(before.error());
    uart.before_ = *before;
    if (const auto counted = uart.port().counters(); counted) uart.counted_before_ = *counted;
    if (options.exclusive) {
        const auto alone = uart.port().keep_others_out();
        if (!alone) co_await fail(alone.error());
        uart.alone_ = *alone;
    }
    co_await uart.set(options);
    co_return uart;
}

Uart& Uart::operator=(Uart&& other) noexcept {
    std::swap(terminal_, other.terminal_);
    std::swap(before_, other.before_);
    std::swap(counted_before_, other.counted_before_);
    std::swap(baud_, other.baud_);
    std::swap(bits_, other.bits_);
    std::swap(alone_, other.alone_);
    return *this;
}

void Uart::let_go() {
    if (!is_open() || !before_) return;
    // Only if there is some: of a pty it is what the other side has not yet read.
    const auto bytes = port().unsent();
    if (bytes && *bytes > 0) port().discard_unsent();
    port().put_back(*before_);
    before_.reset();  // once: from now on the line may be somebody else's
    if (alone_) port().let_others_in();
}

Result<void> Uart::set(Options options) {
    const auto baud = port().set(options);
    if (!baud) return std::unexpected(baud.error());
    baud_ = *baud;
    bits_ = bits_of(options);
    return {};
}

Result<Counters> Uart::counters() const {
    const auto now = port().counters();
    if (!now) return std::unexpected(now.error());
    return *now - counted_before_;
}

// The kernel tells nobody when it has sent all: it is asked again when that can be.
Task<void> Uart::drain() {
    constexpr std::chrono::microseconds shortest(200);
    constexpr std::chrono::milliseconds longest(100);  // what holds it up may end
    for (;;) {
        const unsigned bytes = co_await port().unsent();
        if (bytes == 0 && port().has_sent_all()) co_return;
        const std::int64_t bits = std::int64_t{std::max(bytes, 1U)} * bits_;
        const Nanoseconds needed(bits * 1'000'000'000 / baud_);
        co_await sleep(std::clamp<Nanoseconds>(needed, shortest, longest));
    }
}

Task<void> Uart::send_break(Nanoseconds length) {
    co_await drain();  // else the kernel would wait for it, and the loop with it
    const Break on(port());  // first: the await of what set it may be the end
    co_await port().set_break(true);
    co_await sleep(length);
}

Task<void> Uart::close() {
    if (!is_open()) co_return;
    Uart own(std::move(*this));  // whose end, if this is cut short, lets the line go
    const auto sent = co_await attempt(own.drain());
    own.let_go();
    co_await own.terminal_.close();
    co_await sent;
}

}  // namespace ringlet::uart
