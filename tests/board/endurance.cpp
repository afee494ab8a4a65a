// Feeds the pipeline app records over TCP and tells what memory it held on the way besides its
// static storage, in one line; then the app's own summary. In little memory itself, for a board
// that has little.
//
//   endurance PIPELINE RECORDS
//   sent=1000000 bad=100 tenth_kib=144 end_kib=144 status=1
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>

namespace {

constexpr const char* output = "/var/tmp/endurance.jsonl";
constexpr const char* messages = "/var/tmp/endurance.log";
constexpr unsigned long one_bad_in = 10'000;

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

int listen_on_loopback(unsigned short& port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) < 0 ||
        ::listen(listener, 1) < 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
        give_up("listen");
    }
    port = ntohs(address.sin_port);
    return listener;
}

pid_t start(const char* pipeline, unsigned short port) {
    char source[64];
    std::snprintf(source, sizeof source, "tcp://127.0.0.1:%u", port);
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int log = ::open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(log, STDERR_FILENO);
    ::execl(pipeline, pipeline, "--jsonl", "--output", output, source, static_cast<char*>(nullptr));
    give_up(pipeline);
}

// Of a process whose kernel has all that was sent, after a while in which it has read it: pages of
// its own, but not of its static storage, which has its size from the start and is touched as its
// marks rise. Counted page by page: RssAnon in /proc/PID/status is kept in batches, so it is off by
// up to 64 pages a thread (proc_pid_status(5)).
long beyond_static_kib(pid_t process, int connection, const char* program) {
    for (int unread = 1; unread > 0; ::usleep(10'000)) {
        if (::ioctl(connection, SIOCOUTQ, &unread) < 0) give_up("SIOCOUTQ");
    }
    ::usleep(500'000);
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/smaps", process);
    std::FILE* const mappings = std::fopen(path, "r");
    if (mappings == nullptr) give_up(path);
    char line[512];
    long total = 0;
    unsigned long static_end = 0;  // .bss has no name, but begins where .data ends
    bool is_static = false;
    while (std::fgets(line, sizeof line, mappings) != nullptr) {
        unsigned long begin = 0;
        unsigned long end = 0;
        long kib = 0;
        if (std::sscanf(line, "%lx-%lx", &begin, &end) == 2) {
            is_static = std::strstr(line, program) != nullptr ||
                        (begin == static_end && std::strchr(line, '[') == nullptr);
            if (is_static) static_end = end;
        } else if (!is_static && std::sscanf(line, "Anonymous: %ld kB", &kib) == 1) {
            total += kib;
        }
    }
    std::fclose(mappings);
    return total;
}

void send_all(int connection, const char* text, std::size_t size) {
    while (size > 0) {
        const ssize_t count = ::send(connection, text, size, MSG_NOSIGNAL);
        if (count <= 0) give_up("send");
        text += count;
        size -= static_cast<std::size_t>(count);
    }
}

void print_last_line(const char* path) {
    std::FILE* const file = std::fopen(path, "r");
    char line[1024] = "";
    while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    }
    std::fputs(line, stdout);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return 2;
    const unsigned long records = std::strtoul(arguments[2], nullptr, 10);
    unsigned short port = 0;
    const int listener = listen_on_loopback(port);
    const pid_t pipeline = start(arguments[1], port);
    const int connection = ::accept(listener, nullptr, nullptr);
    if (connection < 0) give_up("accept");

    unsigned long bad = 0;
    long at_a_tenth = 0;
    static char batch[16 << 10];
    std::size_t size = 0;
    for (unsigned long number = 1; number <= records; ++number) {
        const bool is_bad = number % one_bad_in == 0;
        bad += is_bad;
        size += static_cast<std::size_t>(std::snprintf(
            batch + size, sizeof batch - size,
            "{\"sensor\": \"sensor-%lu\", \"t\": %lu, \"value\": %lu.%02lu%s\n", number % 7, number,
            number * 7919 % 100, number % 100, is_bad ? "" : "}"));
        const bool tenth = number == records / 10;
        if (size > sizeof batch - 256 || tenth || number == records) {
            send_all(connection, batch, size);
            size = 0;
        }
        if (tenth) at_a_tenth = beyond_static_kib(pipeline, connection, arguments[1]);
    }
    const long at_the_end = beyond_static_kib(pipeline, connection, arguments[1]);
    ::close(connection);
    int status = 0;
    ::waitpid(pipeline, &status, 0);
    std::printf("sent=%lu bad=%lu tenth_kib=%ld end_kib=%ld status=%d\n", records, bad,
                at_a_tenth, at_the_end,
                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    print_last_line(messages);
    return 0;
}
