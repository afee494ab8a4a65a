// What the kernel refuses, and what peers do: full and read-only disks, no descriptors left,
// resets, half-closed connections, readers that are gone, and a bound that is too small.
#include <kernel/kernel_cases.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>

using namespace ringlet;
using namespace ringlet::support;

namespace {

constexpr Limits usual{
    .tasks = 16,
    .frames = {{256, 128}, {512, 128}, {1024, 64}, {2048, 32}, {8192, 8}}};
constexpr Limits few_descriptors{
    .tasks = 16,
    .descriptors = 4,
    .frames = {{256, 128}, {512, 128}, {1024, 64}, {2048, 32}, {8192, 8}}};
constexpr Limits one_operation{
    .tasks = 16,
    .operations = 1,
    .frames = {{256, 128}, {512, 128}, {1024, 64}, {2048, 32}, {8192, 8}}};

Runtime<usual> runtime;
Runtime<few_descriptors> runtime_of_few_descriptors;
Runtime<one_operation> runtime_of_one_operation;

// Nothing here may hang.
constexpr auto patience = 20s;

// --- disks

// A folder of its own, gone at the end of the test.
class Folder {
public:
    Folder() {
        std::snprintf(path_, sizeof path_, "/tmp/ringlet-faults-%d", ::getpid());
        std::filesystem::remove_all(path_);
        std::filesystem::create_directory(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    const char* path() const { return path_; }

    // Allocates: not inside a run.
    unsigned entries() const {
        unsigned count = 0;
        for (const auto& each : std::filesystem::directory_iterator(path_)) {
            count += each.exists();
        }
        return count;
    }

private:
    char path_[64];
};

constexpr auto no_privilege = "mounting needs a privilege that this process lacks";

// Mounts a small disk that only this process sees; for a child. Without root, a user namespace may
// help.
bool mount_disk(const char* path, const char* options) {
    const int user = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
    return ::unshare(CLONE_NEWNS | user) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("ringlet", path, "tmpfs", 0, options) == 0;
}

bool make_read_only(const char* path, const char* options) {
    return ::mount("ringlet", path, "tmpfs", MS_REMOUNT | MS_RDONLY, options) == 0;
}

// Paths are relative: the tests run in the folder.
constexpr auto file_name = "settings.json";
constexpr auto filler_name = "filler";
std::array<std::byte, 128 * 1024> much;

Task<void> expect_contents(const char* path, std::string_view expected) {
    static std::array<std::byte, 4096> buffer;
    const auto contents = co_await attempt(read_file(path, buffer));
    EXPECT_TRUE(contents.has_value()) << text(contents.error());
    if (contents) {
        EXPECT_EQ(text_of(*contents), expected);
    }
}

// What did go to the disk is the beginning, in its place.
Task<void> expect_beginning_of_much(const char* path) {
    static std::array<std::byte, sizeof much> buffer;
    const auto contents = co_await read_file(path, buffer);
    EXPECT_FALSE(contents.empty());
    EXPECT_TRUE(std::ranges::equal(contents, std::span(much).first(contents.size())));
}

Task<void> fill_disk() {
    for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<std::byte>(i / 1000);
    auto filler = co_await File::open(filler_name, OpenMode::replace);
    const auto written = co_await attempt(timeout(patience, filler.write_all(much)));
    EXPECT_EQ(error_of(written), std::errc::no_space_on_device);
    EXPECT_EQ(written.error().domain(), Domain::kernel);
    co_await filler.close();
    co_await expect_beginning_of_much(filler_name);
}

Task<void> write_on_a_full_disk() {
    co_await fill_disk();
    auto file = co_await File::open(file_name, OpenMode::replace);
    const auto one_byte = co_await attempt(file.write_all(bytes_of("x")));
    EXPECT_EQ(error_of(one_byte), std::errc::no_space_on_device);
    co_await remove_file(filler_name);
    co_await file.write_all(bytes_of("there is room again"));
    co_await file.sync();
    co_await file.close();
    co_await expect_contents(file_name, "there is room again");
    co_await expect_descriptors(0);
}

Task<void> replace_on_a_full_disk() {
    co_await write_atomic(file_name, bytes_of("old"));
    co_await fill_disk();
    const auto whole = co_await attempt(timeout(patience, write_atomic(file_name, much)));
    EXPECT_EQ(error_of(whole), std::errc::no_space_on_device);
    co_await expect_contents(file_name, "old");
    auto in_parts = [](AtomicFile& file) -> Task<void> {
        for (;;) co_await file.write_all(std::span(much).first(1000));
    };
    const auto parts =
        co_await attempt(timeout(patience, with(AtomicFile::open(file_name), in_parts)));
    EXPECT_EQ(error_of(parts), std::errc::no_space_on_device);
    co_await expect_contents(file_name, "old");
    co_await expect_descriptors(0);
}

Task<void> replace_when_there_is_room() {
    co_await remove_file(filler_name);
    co_await write_atomic(file_name, bytes_of("new"));
    co_await expect_contents(file_name, "new");
}

Task<void> replace_without_a_free_name() {
    co_await write_atomic(file_name, bytes_of("old"));
    for (bool more = true; more;) {
        char name[32];
        static unsigned number = 0;
        std::snprintf(name, sizeof name, "%u", ++number);
        auto file = co_await attempt(File::open(name, OpenMode::replace));
        more = file.has_value();
        if (!more) {
            EXPECT_EQ(file.error(), std::errc::no_space_on_device);
        }
    }
    const auto replaced = co_await attempt(write_atomic(file_name, bytes_of("new")));
    EXPECT_EQ(error_of(replaced), std::errc::no_space_on_device);
    co_await expect_contents(file_name, "old");
    co_await expect_descriptors(0);
}

Task<void> make_settings() {
    co_await write_atomic(file_name, bytes_of("old"));
}

// All that would change the folder fails with `why`, and changes nothing.
Task<void> change_nothing(std::errc why) {
    const auto made = co_await attempt(File::open("new", OpenMode::replace));
    EXPECT_EQ(error_of(made), why);
    const auto replaced = co_await attempt(write_atomic(file_name, bytes_of("new")));
    EXPECT_EQ(error_of(replaced), why);
    const auto removed = co_await attempt(remove_file(file_name));
    EXPECT_EQ(error_of(removed), why);
    const auto renamed = co_await attempt(rename_file(file_name, "other"));
    EXPECT_EQ(error_of(renamed), why);
    const auto folder = co_await attempt(make_folder("folder"));
    EXPECT_EQ(error_of(folder), why);
    co_await expect_contents(file_name, "old");
    co_await expect_descriptors(0);
}

// --- no descriptors left

// Leaves the process `spare` free descriptors.
class FullProcess {
public:
    explicit FullProcess(unsigned spare = 0) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);  // the lowest free one: all below are taken
        ::close(next);
        set(static_cast<rlim_t>(next) + spare);
    }
    ~FullProcess() { set(before_.rlim_cur); }
    FullProcess(const FullProcess&) = delete;

private:
    void set(rlim_t count) {
        rlimit limit = before_;
        limit.rlim_cur = count;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    rlimit before_{};
};

// The one bound or the other: each says which it is.
void expect_no_descriptor(Error error, bool own_bound) {
    EXPECT_EQ(error.code(), std::errc::too_many_files_open);
    EXPECT_EQ(error == RuntimeDetail::descriptors, own_bound);
    EXPECT_EQ(error.domain() == Domain::kernel, !own_bound);
}

Task<void> expect_nothing_opens(TcpListener& listener, SocketAddress address, bool own_bound) {
    const unsigned before = scheduler().descriptors();
    const auto file = co_await attempt(timeout(patience, File::open("/dev/null")));
    expect_no_descriptor(error_of(file), own_bound);
    const auto accepted = co_await attempt(timeout(patience, listener.accept()));
    expect_no_descriptor(error_of(accepted), own_bound);
    const auto connected = co_await attempt(timeout(patience, TcpSocket::connect(address)));
    expect_no_descriptor(error_of(connected), own_bound);
    const auto listening = TcpListener::listen(loopback_address(0));
    expect_no_descriptor(error_of(listening), own_bound);
    const auto pipe = Pipe::open();
    expect_no_descriptor(error_of(pipe), own_bound);
    const auto signals = Signals::open(SIGHUP);
    expect_no_descriptor(error_of(signals), own_bound);
    EXPECT_EQ(scheduler().descriptors(), before);
}

Task<void> expect_all_opens(TcpListener& listener, PlainSocket& client, SocketAddress address) {
    {
        auto accepted = co_await timeout(patience, listener.accept());  // it stayed in line
        co_await accepted.send_all(bytes_of("x"));
        EXPECT_EQ(client.receive(), "x");
    }
    co_await expect_descriptors(1);
    {
        const auto file = co_await File::open("/dev/null");
        const auto pipe = co_await Pipe::open();
    }
    co_await expect_descriptors(1);
    {
        const auto signals = co_await Signals::open(SIGHUP);
        const auto connected = co_await timeout(patience, TcpSocket::connect(address));
    }
    co_await expect_descriptors(1);
}

Task<void> meet_the_process_s_limit() {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        const unsigned before = open_descriptors();
        {
            PlainSocket client;
            EXPECT_TRUE(client.connect(address));
            {
                const FullProcess full;
                co_await expect_nothing_opens(listener, address, false);
            }
            co_await expect_all_opens(listener, client, address);
        }
        EXPECT_EQ(open_descriptors(), before);
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// The accept waited when there was room, and none is left when its connection comes.
Task<void> meet_the_process_s_limit_while_waiting() {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        PlainSocket client;
        const FullProcess full(1);
        bool refused = false;
        auto accept = [&]() -> Task<void> {
            const auto accepted = co_await attempt(timeout(patience, listener.accept()));
            expect_no_descriptor(error_of(accepted), false);
            refused = true;
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(std::ref(accept));
            co_await sleep(5ms);
            PlainSocket last(::dup(0));
            EXPECT_TRUE(client.connect(address));
            co_await sleep(50ms);
            EXPECT_TRUE(refused);
        });
        auto accepted = co_await timeout(patience, listener.accept());
        co_await accepted.send_all(bytes_of("x"));
        EXPECT_EQ(client.receive(), "x");
    }
    co_await expect_descriptors(0);
}

// A replacement needs two: the first for the new file, the second for the folder, after the sync.
Task<void> replace_with_too_few_descriptors() {
    co_await write_atomic(file_name, bytes_of("old"));
    for (unsigned spare = 0; spare < 2; ++spare) {
        co_await expect_descriptors(0);
        const FullProcess full(spare);
        const auto replaced = co_await attempt(timeout(patience, write_atomic(file_name, much)));
        expect_no_descriptor(error_of(replaced), false);
    }
    co_await expect_contents(file_name, "old");
    const FullProcess full(2);
    co_await write_atomic(file_name, bytes_of("new"));
    co_await expect_contents(file_name, "new");
}

Task<void> meet_the_own_limit() {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        PlainSocket client;
        EXPECT_TRUE(client.connect(address));
        {
            const auto first = co_await File::open("/dev/null");
            const auto second = co_await File::open("/dev/null");
            const auto pipe = Pipe::open();  // only one is left
            expect_no_descriptor(error_of(pipe), true);
            const auto third = co_await File::open("/dev/null");
            co_await expect_nothing_opens(listener, address, true);
        }
        co_await expect_descriptors(1);
        co_await expect_all_opens(listener, client, address);
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// --- peers

// A connection: this end, and its peer.
struct Connection {
    Connection(TcpSocket one, PlainSocket other) : socket(std::move(one)), peer(std::move(other)) {}
    TcpSocket socket;
    PlainSocket peer;
};

Task<Connection> connect_peer() {
    auto listener = co_await TcpListener::listen(loopback_address(0));
    const auto address = co_await listener.local_address();
    PlainSocket peer;
    EXPECT_TRUE(peer.connect(address));
    auto socket = co_await listener.accept();
    co_return Connection(std::move(socket), std::move(peer));
}

Task<void> reset_after(PlainSocket& peer, std::chrono::milliseconds span) {
    co_await sleep(span);
    peer.reset();
}

Task<void> send_for_ever(TcpSocket& socket) {
    for (;;) co_await socket.send_all(much);
}

bool is_broken(Error error) {
    return error == std::errc::connection_reset || error == std::errc::broken_pipe;
}

Task<void> be_reset_while_receiving() {
    {
        auto connection = co_await connect_peer();
        std::array<std::byte, 8> buffer;
        const auto both = co_await gather_results(
            timeout(patience, connection.socket.receive(buffer)),
            reset_after(connection.peer, 5ms));
        EXPECT_EQ(error_of(std::get<0>(both)), std::errc::connection_reset);
        const auto sent = co_await attempt(connection.socket.send_all(bytes_of("x")));
        EXPECT_EQ(error_of(sent), std::errc::broken_pipe);
        const auto closed = co_await attempt(connection.socket.close());
        EXPECT_TRUE(closed.has_value());
    }
    co_await expect_descriptors(0);
}

Task<void> be_reset_while_sending() {
    {
        auto connection = co_await connect_peer();
        const auto both = co_await gather_results(
            timeout(patience, send_for_ever(connection.socket)), reset_after(connection.peer, 5ms));
        const Error error = error_of(std::get<0>(both));
        EXPECT_TRUE(is_broken(error)) << text(error);
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

Task<void> be_reset_while_doing_both() {
    {
        auto connection = co_await connect_peer();
        std::array<std::byte, 8> buffer;
        const auto all = co_await gather_results(
            timeout(patience, connection.socket.receive(buffer)),
            timeout(patience, send_for_ever(connection.socket)), reset_after(connection.peer, 5ms));
        // The kernel tells a reset once (SO_ERROR, socket(7)), and a send that had sent a part
        // takes the news with it: then the next send gets EPIPE, and a receive 0, as at the end.
        const auto& received = std::get<0>(all);
        const Error sending = error_of(std::get<1>(all));
        EXPECT_TRUE(is_broken(sending)) << text(sending);
        EXPECT_TRUE(received ? *received == 0 : is_broken(received.error()));
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

Task<void> be_reset_before_accepting() {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        const auto address = co_await listener.local_address();
        PlainSocket gone;
        EXPECT_TRUE(gone.connect(address));
        gone.reset();
        PlainSocket next;
        EXPECT_TRUE(next.connect(address));
        auto first = co_await timeout(patience, listener.accept());
        std::array<std::byte, 8> buffer;
        const auto received = co_await attempt(timeout(patience, first.receive(buffer)));
        EXPECT_EQ(error_of(received), std::errc::connection_reset);
        auto second = co_await timeout(patience, listener.accept());
        co_await second.send_all(bytes_of("x"));
        EXPECT_EQ(next.receive(), "x");
    }
    co_await expect_descriptors(0);
}

Task<void> go_on_after_the_peer_s_end() {
    {
        auto connection = co_await connect_peer();
        EXPECT_TRUE(connection.peer.send("question"));
        connection.peer.shutdown_send();
        std::array<std::byte, 8> buffer;
        co_await read_exactly(connection.socket, buffer);
        EXPECT_EQ(text_of(buffer), "question");
        for (int i = 0; i < 2; ++i) {
            const auto end = co_await timeout(patience, connection.socket.receive(buffer));
            EXPECT_EQ(end, 0u);
        }
        co_await connection.socket.send_all(bytes_of("answer"));
        EXPECT_EQ(connection.peer.receive(), "answer");
        co_await connection.socket.shutdown_send();
        EXPECT_EQ(connection.peer.receive(), "");
    }
    co_await expect_descriptors(0);
}

Task<void> go_on_after_the_own_end() {
    {
        auto connection = co_await connect_peer();
        co_await connection.socket.send_all(bytes_of("question"));
        co_await connection.socket.shutdown_send();
        EXPECT_EQ(connection.peer.receive(), "question");
        EXPECT_EQ(connection.peer.receive(), "");
        const auto sent = co_await attempt(connection.socket.send_all(bytes_of("more")));
        EXPECT_EQ(error_of(sent), std::errc::broken_pipe);
        EXPECT_TRUE(connection.peer.send("answer!!"));
        std::array<std::byte, 8> buffer;
        co_await timeout(patience, read_exactly(connection.socket, buffer));
        EXPECT_EQ(text_of(buffer), "answer!!");
        connection.peer.close();
        const auto end = co_await timeout(patience, connection.socket.receive(buffer));
        EXPECT_EQ(end, 0u);
    }
    co_await expect_descriptors(0);
}

Task<void> write_without_a_reader() {
    {
        auto pipe = co_await Pipe::open();
        co_await pipe.reader.close();
        const auto written = co_await attempt(pipe.writer.write_all(bytes_of("x")));
        EXPECT_EQ(error_of(written), std::errc::broken_pipe);
    }
    co_await expect_descriptors(0);
}

Task<void> lose_the_reader() {
    {
        auto pipe = co_await Pipe::open();
        auto write = [&]() -> Task<void> {
            for (;;) co_await pipe.writer.write_all(much);
        };
        auto leave = [&]() -> Task<void> {
            co_await sleep(5ms);
            co_await pipe.reader.close();
        };
        const auto both = co_await gather_results(timeout(patience, write()), leave());
        EXPECT_EQ(error_of(std::get<0>(both)), std::errc::broken_pipe);
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// --- one operation

// The reader holds the only credit, and waits for what the writer would write, which stands in line
// for it. Nobody can know that; only a time limit resolves it.
Task<void> need_each_other() {
    {
        auto pipe = co_await Pipe::open();
        std::byte byte{};
        const auto both = co_await attempt(
            timeout(100ms, gather(pipe.reader.read(std::span(&byte, 1)),
                                  pipe.writer.write(bytes_of("x")))));
        EXPECT_EQ(error_of(both), std::errc::timed_out);
        // Not side by side it works: nothing was lost, and the credit is back.
        const auto written = co_await timeout(patience, pipe.writer.write(bytes_of("x")));
        EXPECT_EQ(written, 1u);
        const auto read = co_await timeout(patience, pipe.reader.read(std::span(&byte, 1)));
        EXPECT_EQ(read, 1u);
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// What waits in line is served first come first served, and a close needs no credit.
Task<void> take_turns() {
    {
        auto pipe = co_await Pipe::open();
        std::array<std::byte, 8> buffer;
        auto write = [&]() -> Task<void> {
            for (int i = 0; i < 100; ++i) co_await pipe.writer.write_all(bytes_of("12345678"));
        };
        auto read = [&]() -> Task<void> {
            for (int i = 0; i < 100; ++i) co_await read_exactly(pipe.reader, buffer);
        };
        co_await timeout(patience, gather(write(), read()));
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// Runs `body` in a child, in the folder, which is a small disk of the child's own.
template <class F>
int on_small_disk(const Folder& folder, const char* options, F&& body) {
    return in_child([&] {
        if (!mount_disk(folder.path(), options)) return status_skipped;
        if (::chdir(folder.path()) != 0) return 1;
        return body();
    });
}

// Runs `main` in a child, which a signal would end, and which shall keep no descriptor.
void expect_survived(Task<void> (*main)()) {
    RINGLET_EXPECT_STATUS_0(in_child([&] {
                                ::signal(SIGPIPE, SIG_DFL);
                                const unsigned before = open_descriptors();
                                const int status = runtime.run(main);
                                EXPECT_EQ(open_descriptors(), before);
                                EXPECT_FALSE(runtime.report().completions_overflowed);
                                return status;
                            }),
                            "");
}

}  // namespace

TEST(FullDisk, is_an_error_of_write_all_until_there_is_room) {
    const Folder folder;
    RINGLET_EXPECT_STATUS_0(
        on_small_disk(folder, "size=64k", [] { return runtime.run(write_on_a_full_disk); }),
        no_privilege);
}

TEST(FullDisk, keeps_the_old_file_whole_and_no_temporary) {
    const Folder folder;
    const int status = on_small_disk(folder, "size=64k", [&] {
        if (const int kept = runtime.run(replace_on_a_full_disk); kept != 0) return kept;
        EXPECT_EQ(folder.entries(), 2u);
        return runtime.run(replace_when_there_is_room);
    });
    RINGLET_EXPECT_STATUS_0(status, no_privilege);
}

TEST(FullDisk, without_a_name_left_keeps_the_old_file) {
    const Folder folder;
    RINGLET_EXPECT_STATUS_0(on_small_disk(folder, "nr_inodes=10",
                                          [] { return runtime.run(replace_without_a_free_name); }),
                            no_privilege);
}

TEST(ReadOnly, disk_is_an_error_and_stays_as_it_was) {
    const Folder folder;
    RINGLET_EXPECT_STATUS_0(
        on_small_disk(folder, "size=64k",
                      [&] {
                          const int status = runtime.run(make_settings);
                          if (status != 0) return status;
                          if (!make_read_only(folder.path(), "size=64k")) return status_skipped;
                          return runtime.run(change_nothing, std::errc::read_only_file_system);
                      }),
        no_privilege);
}

TEST(ReadOnly, folder_is_an_error_and_stays_as_it_was) {
    const Folder folder;
    const int status = in_child([&] {
        if (::chdir(folder.path()) != 0) return 1;
        if (const int made = runtime.run(make_settings); made != 0) return made;
        ::chmod(folder.path(), 0555);
        constexpr unsigned nobody = 65534;
        if (::geteuid() == 0 && (::setgid(nobody) < 0 || ::setuid(nobody) < 0)) return 1;
        const int changed = runtime.run(change_nothing, std::errc::permission_denied);
        EXPECT_EQ(folder.entries(), 1u);
        return changed;
    });
    ::chmod(folder.path(), 0755);
    RINGLET_EXPECT_STATUS_0(status, "");
}

TEST(DescriptorLimit, of_the_process_is_an_error_until_there_is_room) {
    RINGLET_EXPECT_STATUS_0(in_child([] { return runtime.run(meet_the_process_s_limit); }), "");
}

TEST(DescriptorLimit, of_the_process_may_be_met_while_an_accept_waits) {
    RINGLET_EXPECT_STATUS_0(
        in_child([] { return runtime.run(meet_the_process_s_limit_while_waiting); }), "");
}

TEST(DescriptorLimit, keeps_the_old_file_whole_and_no_temporary) {
    const Folder folder;
    RINGLET_EXPECT_STATUS_0(in_child([&] {
                                if (::chdir(folder.path()) != 0) return 1;
                                return runtime.run(replace_with_too_few_descriptors);
                            }),
                            "");
    EXPECT_LE(folder.entries(), 1u);
}

TEST(DescriptorLimit, of_the_runtime_is_an_error_until_there_is_room) {
    RINGLET_EXPECT_STATUS_0(
        in_child([] { return runtime_of_few_descriptors.run(meet_the_own_limit); }), "");
}

TEST(Peer, resets_while_we_receive) {
    expect_survived(be_reset_while_receiving);
}

TEST(Peer, resets_while_we_send) {
    expect_survived(be_reset_while_sending);
}

TEST(Peer, resets_while_we_do_both) {
    expect_survived(be_reset_while_doing_both);
}

TEST(Peer, resets_before_we_accept) {
    expect_survived(be_reset_before_accepting);
}

TEST(Peer, ends_its_half) {
    expect_survived(go_on_after_the_peer_s_end);
}

TEST(Peer, hears_the_end_of_ours) {
    expect_survived(go_on_after_the_own_end);
}

TEST(Peer, has_closed_its_end_of_a_pipe) {
    expect_survived(write_without_a_reader);
}

TEST(Peer, closes_its_end_of_a_full_pipe) {
    expect_survived(lose_the_reader);
}

TEST(OneOperation, starves_two_tasks_that_need_each_other) {
    RINGLET_EXPECT_STATUS_0(runtime_of_one_operation.run(need_each_other), "");
    EXPECT_EQ(runtime_of_one_operation.report().high_water.operations, 1u);
}

TEST(OneOperation, is_enough_for_tasks_that_take_turns) {
    RINGLET_EXPECT_STATUS_0(runtime_of_one_operation.run(take_turns), "");
}
