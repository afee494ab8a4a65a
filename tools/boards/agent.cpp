// The agent is the first process of an emulated board: it runs programs for `tools/board`.
//
//   host                          virtio-serial port                     guest
//   start, stdin_data,        ->  frames {job, kind, size} payload  ->   fork, exec, pipes
//   stdin_end, kill, took,    <-                                    <-   hello, out, err, want,
//   abandon, ping, power_off                                             ended, failed, pong
//
// One job is one program in a session of its own. Neither side ever waits for the other to read:
//   - a job's standard input comes in pieces, each asked for by `want` when the last is written;
//   - of a job's output at most `unread_max` bytes are under way; `took` tells what has been taken.
// So a ping is answered at once whatever the programs do, and a machine that does not answer hangs.
//
// It is linked statically, and asks nothing of the kernel that Linux 5.10 lacks.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace {

// Numbers and layout: tools/boards/protocol.py.
enum class Kind : std::uint32_t {
    start = 1, stdin_data, stdin_end, kill, took, ping, power_off, abandon,
    hello = 100, out, err, want, ended, failed, pong,
};

struct Header {
    std::uint32_t job;
    Kind kind;
    std::uint32_t size;
};

constexpr std::size_t payload_max = 1 << 20;
constexpr std::size_t unread_max = 256 << 10;
constexpr std::size_t piece_max = 32 << 10;

struct Job {
    std::uint32_t number = 0;
    pid_t process = 0;
    int in = -1;              // our end of each pipe; -1: closed
    int outputs[2] = {-1, -1};
    std::string input;        // the piece that is not written yet
    std::size_t unread = 0;   // bytes that the host has not taken yet
    std::string copy;         // of the program, to be removed
    bool reaped = false;
    int status = 0;
    long peak_kib = 0;
};

int port = -1;
std::list<Job> jobs;
int child_pipe[2];

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "agent: %s: %s\n", what, std::strerror(errno));
    ::sync();
    ::reboot(RB_POWER_OFF);
    std::abort();
}

void write_all(int descriptor, const void* data, std::size_t size) {
    auto bytes = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t count = ::write(descriptor, bytes, size);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0) give_up("write to the host");
        bytes += count;
        size -= static_cast<std::size_t>(count);
    }
}

void send(std::uint32_t job, Kind kind, const void* payload = nullptr, std::size_t size = 0) {
    const Header header{job, kind, static_cast<std::uint32_t>(size)};
    write_all(port, &header, sizeof header);
    write_all(port, payload, size);
}

void send(std::uint32_t job, Kind kind, const std::string& words) {
    send(job, kind, words.data(), words.size());
}

void close_end(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
}

Job* find(std::uint32_t number) {
    for (Job& job : jobs) {
        if (job.number == number) return &job;
    }
    return nullptr;
}

// Programs on the host's folder are copied first: mapped from there, each page is a round trip.
constexpr long v9fs_magic = 0x01021997;

bool is_hosts(const std::string& program) {
    struct statfs where {};
    return ::statfs(program.c_str(), &where) == 0 && where.f_type == v9fs_magic;
}

// False: errno says why.
bool copy_file(const std::string& from_path, const std::string& to_path) {
    const int from = ::open(from_path.c_str(), O_RDONLY | O_CLOEXEC);
    const int to = ::open(to_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    static char buffer[256 << 10];
    ssize_t count = from < 0 || to < 0 ? -1 : 1;
    while (count > 0) {
        count = ::read(from, buffer, sizeof buffer);
        const ssize_t written =
            count > 0 ? ::write(to, buffer, static_cast<std::size_t>(count)) : count;
        if (written >= 0 && written < count) errno = ENOSPC;
        if (written < count) count = -1;
    }
    const int saved = errno;
    ::close(from);
    ::close(to);
    errno = saved;
    return count == 0;
}

std::string copy_name(const std::string& program, std::uint32_t number) {
    const std::string folder = "/var/jobs/" + std::to_string(number);
    ::mkdir("/var/jobs", 0755);
    ::mkdir(folder.c_str(), 0755);
    return folder + program.substr(program.rfind('/'));
}

void remove_copy(const Job& job) {
    if (job.copy.empty()) return;
    ::unlink(job.copy.c_str());
    ::rmdir(job.copy.substr(0, job.copy.rfind('/')).c_str());
}

std::string find_in_path(const std::string& program) {
    if (program.find('/') != std::string::npos) return program;
    for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/run/busybox/"}) {
        if (::access((folder + program).c_str(), X_OK) == 0) return folder + program;
    }
    return program;
}

[[noreturn]] void become(const std::string& file, std::vector<char*>& arguments,
                         std::vector<char*>& environment, const std::string& folder, int report) {
    const auto fail = [&](const char* what) {
        const std::string words = std::string(what) + ": " + std::strerror(errno);
        write_all(report, words.data(), words.size());
        ::_exit(127);
    };
    ::setsid();
    const sched_param normal{};
    ::sched_setscheduler(0, SCHED_OTHER, &normal);
    ::setpriority(PRIO_PROCESS, 0, 0);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
    if (::chdir(folder.c_str()) < 0) fail(folder.c_str());
    ::execve(file.c_str(), arguments.data(), environment.data());
    fail(arguments[0]);
    ::_exit(127);
}

// Payload: folder, number of arguments, arguments, environment; each ends with a NUL.
void start(std::uint32_t number, std::string payload) {
    std::vector<char*> words;
    for (std::size_t at = 0; at < payload.size(); at = payload.find('\0', at) + 1) {
        words.push_back(payload.data() + at);
    }
    const std::string folder = words[0];
    const auto count = static_cast<std::ptrdiff_t>(std::atol(words[1]));
    std::vector<char*> arguments(words.begin() + 2, words.begin() + 2 + count);
    std::vector<char*> environment(words.begin() + 2 + count, words.end());
    arguments.push_back(nullptr);
    environment.push_back(nullptr);

    Job job;
    job.number = number;
    std::string file = find_in_path(arguments[0]);
    if (file[0] != '/') file = folder + "/" + file;
    // What one job lacks must not end the others': it has failed, and the agent goes on.
    const auto fail = [&](const char* what) {
        send(number, Kind::failed, std::string(what) + ": " + std::strerror(errno));
        remove_copy(job);
    };
    if (is_hosts(file)) {
        job.copy = copy_name(file, number);
        if (!copy_file(file, job.copy)) return fail(file.c_str());
        file = job.copy;
    }
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
    const bool piped = ::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0 &&
                       ::pipe2(err, O_CLOEXEC) == 0 && ::pipe2(report, O_CLOEXEC) == 0;
    job.process = piped ? ::fork() : -1;
    if (job.process < 0) {
        fail(piped ? "fork" : "pipe");
        for (int* const ends : {in, out, err, report}) {
            ::close(ends[0]);
            ::close(ends[1]);
        }
        return;
    }
    if (job.process == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::dup2(err[1], 2);
        become(file, arguments, environment, folder, report[1]);
    }
    for (const int end : {in[0], out[1], err[1], report[1]}) ::close(end);
    char why[256];
    const ssize_t size = ::read(report[0], why, sizeof why);  // ends when the program runs
    ::close(report[0]);
    for (const int end : {in[1], out[0], err[0]}) ::fcntl(end, F_SETFL, O_NONBLOCK);
    if (size > 0) {
        for (const int end : {in[1], out[0], err[0]}) ::close(end);
        ::waitpid(job.process, nullptr, 0);
        remove_copy(job);
        send(number, Kind::failed, why, static_cast<std::size_t>(size));
        return;
    }
    job.in = in[1];
    job.outputs[0] = out[0];
    job.outputs[1] = err[0];
    jobs.push_back(std::move(job));
    send(number, Kind::want);
}

void handle(const Header& header, std::string payload) {
    Job* const job = find(header.job);
    switch (header.kind) {
        case Kind::start: return start(header.job, std::move(payload));
        case Kind::ping: return send(0, Kind::pong);
        case Kind::power_off:
            ::sync();
            ::reboot(RB_POWER_OFF);
            return;
        default: break;
    }
    if (job == nullptr) return;  // it has ended meanwhile
    if (header.kind == Kind::stdin_data) job->input = std::move(payload);
    if (header.kind == Kind::stdin_end) close_end(job->in);
    if (header.kind == Kind::took) {
        std::uint32_t size = 0;
        std::memcpy(&size, payload.data(), sizeof size);
        job->unread -= std::min<std::size_t>(size, job->unread);
    }
    if (header.kind == Kind::abandon) {  // nobody waits for it any more
        if (!job->reaped) ::kill(-job->process, SIGKILL);
        for (int* const end : {&job->in, &job->outputs[0], &job->outputs[1]}) close_end(*end);
    }
    if (header.kind == Kind::kill && !job->reaped) {
        std::uint32_t signal = 0;
        std::memcpy(&signal, payload.data(), sizeof signal);
        ::kill(-job->process, static_cast<int>(signal));
    }
}

// Frames may come in pieces.
void read_port() {
    static std::string received;
    static char buffer[64 << 10];
    const ssize_t count = ::read(port, buffer, sizeof buffer);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) give_up("the host is gone");
    received.append(buffer, static_cast<std::size_t>(count));
    Header header{};
    std::size_t at = 0;
    while (received.size() - at >= sizeof header) {
        std::memcpy(&header, received.data() + at, sizeof header);
        if (header.size > payload_max) give_up("a frame of the host is too large");
        if (received.size() - at < sizeof header + header.size) break;
        handle(header, received.substr(at + sizeof header, header.size));
        at += sizeof header + header.size;
    }
    received.erase(0, at);
}

void read_output(Job& job, int which) {
    static char buffer[piece_max];
    const std::size_t room = std::min(piece_max, unread_max - job.unread);
    if (room == 0) return;  // the other stream took it all
    const ssize_t count = ::read(job.outputs[which], buffer, room);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return close_end(job.outputs[which]);
    job.unread += static_cast<std::size_t>(count);
    send(job.number, which == 0 ? Kind::out : Kind::err, buffer, static_cast<std::size_t>(count));
}

void write_input(Job& job) {
    const ssize_t count = ::write(job.in, job.input.data(), job.input.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {  // nobody reads it any more
        job.input.clear();
        return close_end(job.in);
    }
    job.input.erase(0, static_cast<std::size_t>(count));
    if (job.input.empty()) send(job.number, Kind::want);
}

void reap() {
    char drained[64];
    while (::read(child_pipe[0], drained, sizeof drained) > 0) {
    }
    int status = 0;
    rusage usage{};
    for (pid_t process = 0; (process = ::wait4(-1, &status, WNOHANG, &usage)) > 0;) {
        for (Job& job : jobs) {
            if (job.process != process) continue;
            job.reaped = true;
            job.status = status;
            job.peak_kib = usage.ru_maxrss;
            ::kill(-process, SIGKILL);  // what it left behind in its process group
        }
    }
}

// A job has ended when its program has, and all that was written is sent. What outlived it in a
// session of its own may hold the pipes open for ever, and is not waited for.
bool end(Job& job) {
    if (!job.reaped) return false;
    for (int which = 0; which < 2; ++which) {
        while (job.outputs[which] >= 0 && job.unread < unread_max) {
            const std::size_t before = job.unread;
            read_output(job, which);
            if (job.unread == before) close_end(job.outputs[which]);
        }
        if (job.outputs[which] >= 0) return false;  // the host takes its time
    }
    close_end(job.in);
    remove_copy(job);
    const std::uint32_t told[] = {static_cast<std::uint32_t>(WIFSIGNALED(job.status)),
                                  static_cast<std::uint32_t>(WIFSIGNALED(job.status)
                                                                 ? WTERMSIG(job.status)
                                                                 : WEXITSTATUS(job.status)),
                                  static_cast<std::uint32_t>(job.peak_kib)};
    send(job.number, Kind::ended, told, sizeof told);
    return true;
}

void open_port(const char* path) {
    port = ::open(path, O_RDWR | O_CLOEXEC);
    if (port < 0) give_up(path);
    utsname name{};
    ::uname(&name);
    send(0, Kind::hello, std::string(name.release) + " " + name.machine);
}

void listen_for_children() {
    if (::pipe2(child_pipe, O_CLOEXEC | O_NONBLOCK) < 0) give_up("pipe");
    struct sigaction action {};
    action.sa_handler = [](int) {
        const int saved = errno;
        [[maybe_unused]] const ssize_t ignored = ::write(child_pipe[1], "", 1);
        errno = saved;
    };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGCHLD, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int, char** arguments) {
    // Before all programs: whether the machine hangs must not depend on what they do.
    const sched_param first{.sched_priority = 50};
    ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first);
    listen_for_children();
    open_port(arguments[1]);
    for (;;) {
        std::vector<pollfd> polled{{port, POLLIN, 0}, {child_pipe[0], POLLIN, 0}};
        const auto add = [&](int descriptor, short events) {
            polled.push_back({events == 0 ? -1 : descriptor, events, 0});
        };
        for (Job& job : jobs) {
            const short readable = job.unread < unread_max ? POLLIN : 0;
            add(job.outputs[0], readable);
            add(job.outputs[1], readable);
            add(job.in, job.input.empty() ? 0 : POLLOUT);
        }
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) give_up("poll");
        auto events = polled.begin() + 2;
        for (Job& job : jobs) {
            for (int which = 0; which < 2; ++which) {
                if ((events++)->revents != 0) read_output(job, which);
            }
            if ((events++)->revents != 0) write_input(job);
        }
        if (polled[1].revents != 0) reap();
        if ((polled[0].revents & POLLIN) != 0) read_port();  // last: it may begin jobs
        jobs.remove_if(end);
    }
}
