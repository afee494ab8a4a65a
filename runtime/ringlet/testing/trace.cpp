// The hash and the lines of a trace.
#include <ringlet/testing/trace.hpp>

#include <liburing.h>

#include <cstdio>

namespace ringlet::testing {
namespace {

const char* name_of(int opcode) {
    switch (opcode) {
        case IORING_OP_NOP: return "nop";
        case IORING_OP_READ: return "read";
        case IORING_OP_WRITE: return "write";
        case IORING_OP_RECV: return "recv";
        case IORING_OP_SEND: return "send";
        case IORING_OP_RECVMSG: return "recvmsg";
        case IORING_OP_SENDMSG: return "sendmsg";
        case IORING_OP_ACCEPT: return "accept";
        case IORING_OP_CONNECT: return "connect";
        case IORING_OP_SHUTDOWN: return "shutdown";
        case IORING_OP_CLOSE: return "close";
        case IORING_OP_POLL_ADD: return "poll_add";
        case IORING_OP_OPENAT: return "openat";
        case IORING_OP_FSYNC: return "fsync";
        case IORING_OP_RENAMEAT: return "renameat";
        case IORING_OP_UNLINKAT: return "unlinkat";
        case IORING_OP_MKDIRAT: return "mkdirat";
        case IORING_OP_STATX: return "statx";
        case IORING_OP_TIMEOUT: return "timeout";
        case IORING_OP_ASYNC_CANCEL: return "async_cancel";
        default: return "unknown";
    }
}

// Writes the flags' words, and gives their length.
int add_flags(const TraceEntry& entry, char* at) {
    const char* const more = (entry.flags & IORING_CQE_F_MORE) != 0 ? " more" : "";
    if ((entry.flags & IORING_CQE_F_BUFFER) == 0) return std::snprintf(at, 32, "%s", more);
    const unsigned buffer = entry.flags >> IORING_CQE_BUFFER_SHIFT;
    return std::snprintf(at, 32, "%s buffer %u", more, buffer);
}

}  // namespace

// FNV-1a, byte for byte.
void Trace::mix(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
        hash_ = (hash_ ^ ((value >> shift) & 0xff)) * 0x100000001b3;
    }
}

void Trace::note(const TraceEntry& entry) {
    mix(entry.number);  // not user_data: that is an address, new in every run
    mix(static_cast<std::uint32_t>(entry.result));
    mix(entry.flags);
    mix(static_cast<std::uint64_t>(entry.when));
}

void write_line(const TraceEntry& entry, TraceSink sink, void* context) {
    constexpr Instant second = 1'000'000'000;
    char line[128];  // longer than any line can be
    const int size = std::snprintf(line, sizeof line - 32, "%llu %lld.%09lld %s %d: %d",
                                   static_cast<unsigned long long>(entry.number),
                                   static_cast<long long>(entry.when / second),
                                   static_cast<long long>(entry.when % second),
                                   name_of(entry.opcode), entry.descriptor, entry.result);
    sink({line, static_cast<std::size_t>(size + add_flags(entry, line + size))}, context);
}

}  // namespace ringlet::testing
