// What stands in front of the allocators, and how a breach is told.
//
// glibc has most allocators under a second name, too; that is how the call goes on. A breach opens
// the seal while it is told: the words, and what finds the callers, may allocate.
#include <ringlet/ring/kernel_seal.hpp>

#include <atomic>

// Sanitizers stand in front of malloc themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGLET_OTHER_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RINGLET_OTHER_ALLOCATOR 1
#endif
#endif

#ifndef RINGLET_SEAL_REACTION
#define RINGLET_SEAL_REACTION report
#endif

namespace ringlet {
namespace {

constinit std::atomic<SealReaction> reaction{SealReaction::RINGLET_SEAL_REACTION};
constinit std::atomic<unsigned> breaches{0};

}  // namespace

void set_seal_reaction(SealReaction wanted) {
    reaction = wanted;
}

unsigned seal_breaches() {
    return breaches.exchange(0);
}

}  // namespace ringlet

#ifdef RINGLET_OTHER_ALLOCATOR

constinit ringlet::SealHandler ringlet::seal_handler = nullptr;

#else

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* __libc_valloc(std::size_t);
void* __libc_pvalloc(std::size_t);
}

namespace ringlet {
namespace {

// Where it is must not be asked for by a call that may allocate.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool is_sealed = false;

void set_sealed(bool closed) {
    is_sealed = closed;
}

[[gnu::format(printf, 1, 2)]] void say(const char* format, ...) {
    char line[512];
    std::va_list arguments;
    va_start(arguments, format);
    const int wanted = std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const auto size = std::min(static_cast<std::size_t>(std::max(wanted, 0)), sizeof line - 1);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, size);
}

// One caller: the file, and the address that addr2line knows; the name, if the file exports it.
void say_caller(void* address) {
    Dl_info info{};
    link_map* map = nullptr;
    ::dladdr1(address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP);
    // Behind the call; its line is the one before.
    const auto call = reinterpret_cast<std::uintptr_t>(address) - 1;
    say("seal:   %s(%#zx)%s%s\n", info.dli_fname != nullptr ? info.dli_fname : "?",
        static_cast<std::size_t>(call - (map != nullptr ? map->l_addr : 0)),
        info.dli_sname != nullptr ? " " : "", info.dli_sname != nullptr ? info.dli_sname : "");
}

// `caller`, and those of its callers that can be found: on 32-bit ARM few or none.
void say_callers(void* caller) {
    constexpr int callers_max = 10;
    void* addresses[callers_max];
    void** const end = addresses + ::backtrace(addresses, callers_max);
    void** const found = std::find(addresses, end, caller);
    say_caller(caller);
    if (found != end) std::for_each(found + 1, end, say_caller);
}

void note(const char* what, void* caller) {
    if (!is_sealed) return;
    is_sealed = false;  // what follows may allocate
    const int saved_errno = errno;
    ++breaches;
    if (reaction != SealReaction::count) {
        say("seal: %s while the runtime runs, called from (addr2line -Cfie FILE ADDRESS)\n", what);
        say_callers(caller);
    }
    if (reaction == SealReaction::trap) std::abort();
    errno = saved_errno;
    is_sealed = true;
}

// The C library's own, for those without a second name.
template <class Function>
Function* next_of(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// run() finds it, and whoever links the runtime statically gets this file with it.
constinit SealHandler seal_handler = set_sealed;

}  // namespace ringlet

using ringlet::next_of;
using ringlet::note;

// Of the allocation functions of C++ these two do the work; the others call them.
void* operator new(std::size_t size) {
    note("operator new", __builtin_return_address(0));
    if (void* const memory = __libc_malloc(size)) return memory;
    std::abort();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    note("operator new", __builtin_return_address(0));
    return __libc_malloc(size);
}

extern "C" {
void* malloc(std::size_t size) {
    note("malloc", __builtin_return_address(0));
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    note("calloc", __builtin_return_address(0));
    return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
    note("realloc", __builtin_return_address(0));
    return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    note("memalign", __builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    note("aligned_alloc", __builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    note("posix_memalign", __builtin_return_address(0));
    *out = __libc_memalign(alignment, size);
    return *out == nullptr ? ENOMEM : 0;
}
void* valloc(std::size_t size) {
    note("valloc", __builtin_return_address(0));
    return __libc_valloc(size);
}
void* pvalloc(std::size_t size) {
    note("pvalloc", __builtin_return_address(0));
    return __libc_pvalloc(size);
}
void* mremap(void* old, std::size_t old_size, std::size_t size, int flags, ...) noexcept {
    if (size > old_size) note("mremap", __builtin_return_address(0));
    std::va_list arguments;
    va_start(arguments, flags);
    void* const wanted = va_arg(arguments, void*);
    va_end(arguments);
    static const auto next = next_of<void*(void*, std::size_t, std::size_t, int, ...)>(
        "mremap");
    return next(old, old_size, size, flags, wanted);
}
// Which of the two a caller's mmap() is, its macros decide, and not ours: hence names of our own.
void* map(void*, std::size_t, int, int, int, long) noexcept __asm__("mmap");
void* map(void* address, std::size_t size, int protection, int flags, int file,
          long offset) noexcept {
    note("mmap", __builtin_return_address(0));
    static const auto next = next_of<decltype(map)>("mmap");
    return next(address, size, protection, flags, file, offset);
}
void* map_far(void*, std::size_t, int, int, int, std::int64_t) noexcept __asm__("mmap64");
void* map_far(void* address, std::size_t size, int protection, int flags, int file,
              std::int64_t offset) noexcept {
    note("mmap", __builtin_return_address(0));
    static const auto next = next_of<decltype(map_far)>("mmap64");
    return next(address, size, protection, flags, file, offset);
}
void* sbrk(std::intptr_t increment) noexcept {
    if (increment > 0) note("sbrk", __builtin_return_address(0));
    static const auto next = next_of<void*(std::intptr_t)>("sbrk");
    return next(increment);
}
}

#endif
