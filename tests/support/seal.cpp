// The seal: between the first step of a run and its end, nothing may allocate.
//
// Linked into every test program, and into sealed builds of the apps. It stands in front of malloc
// and its like, of mmap and sbrk; while the seal is closed, a call names its caller on standard
// error and is counted. The count makes the test fail, or the app end with status 99.
#include <ringlet/run/run_loop.hpp>

// Sanitizers stand in front of malloc themselves.
#if defined(__SANITIZE_THREAD__)
#define RINGLET_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RINGLET_THREAD_SANITIZER 1
#endif
#endif

#if !defined(RINGLET_ADDRESS_SANITIZER) && !defined(RINGLET_THREAD_SANITIZER)

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

thread_local bool sealed = false;
std::atomic<unsigned> violations{0};
std::atomic<bool> hushed{false};

void note(const char* what, void* caller) {
    if (!sealed) return;
    sealed = false;  // what follows may allocate
    ++violations;
    if (hushed) {
        sealed = true;
        return;
    }
    Dl_info info{};
    ::dladdr(caller, &info);
    char line[512];
    const int size = std::snprintf(line, sizeof line,
                                   "seal: %s while the runtime runs, called from %s (%s+%p)\n",
                                   what, info.dli_sname != nullptr ? info.dli_sname : "?",
                                   info.dli_fname != nullptr ? info.dli_fname : "?",
                                   reinterpret_cast<void*>(static_cast<char*>(caller) -
                                                           static_cast<char*>(info.dli_fbase)));
    [[maybe_unused]] const auto written = ::write(2, line, static_cast<std::size_t>(size));
    sealed = true;
}

// Before main: run() finds the handler, and the counters are looked at after it.
struct Installer {
    Installer() {
        ringlet::seal_handler = [](bool closed) { sealed = closed; };
    }
} installer;

}  // namespace

// How often the seal was broken since the last call; opens it.
extern "C" unsigned ringlet_seal_violations() {
    return violations.exchange(0);
}

// For runs in which test code may well allocate, since its expectations fail: counted only.
extern "C" void ringlet_seal_hush(bool on) {
    hushed = on;
}

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
void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) {
    note("mmap", __builtin_return_address(0));
    using Function = void* (*)(void*, std::size_t, int, int, int, off_t);
    // With 64-bit offsets on a 32-bit machine, this function is mmap64.
    static const auto next = reinterpret_cast<Function>(
        ::dlsym(RTLD_NEXT, sizeof(off_t) > sizeof(long) ? "mmap64" : "mmap"));
    return next(address, size, protection, flags, file, offset);
}
void* sbrk(std::intptr_t increment) noexcept {
    if (increment > 0) note("sbrk", __builtin_return_address(0));
    using Function = void* (*)(std::intptr_t);
    static const auto next = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "sbrk"));
    return next(increment);
}
}

#else

extern "C" unsigned ringlet_seal_violations() {
    return 0;
}
extern "C" void ringlet_seal_hush(bool) {}

#endif
