// Disk: what would be left of the files if the power failed now. FileTree tells it of each change.
//
//   contents, for each node:   live ──sync of the file──> durable
//   names:                     changes, in order ──sync of the folder──> entries
//
// A change waits in the log until it and all older ones are synced, or until the log is full: then
// the older half goes to the disk unsynced, as the kernel writes back what has waited for long.
// A node whose file is gone is not used again while the disk may still name it.
#pragma once

#include <ringlet/testing/file_node.hpp>
#include <ringlet/testing/power_loss.hpp>
#include <ringlet/testing/random.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ringlet::testing {

class Disk {
public:
    static constexpr int none = -1;

    // A name in a folder.
    struct Entry {
        int folder = none;
        int node = none;
        std::size_t size = 0;
        std::array<char, NAME_MAX> bytes{};

        std::string_view name() const { return {bytes.data(), size}; }
    };

    // `live` is the tree's, and outlives this.
    Disk(const std::vector<FileNode>& live, std::size_t file_bytes, unsigned changes_max);

    // What the tree does. Before it does it:
    void rename(int node, int folder, std::string_view name);
    void unlink(int node);
    void truncate(int node);
    // After it did it:
    void create(int node);
    void write(int node, std::size_t begin, std::size_t end);

    // fsync(2), or fdatasync(2), of a file or folder.
    void sync(int node, bool data_only);
    // Its contents, and the names it has got.
    void keep(int node);
    // Whether the disk may still name the node or, if it is a folder, what is in it.
    bool refers_to(int node) const;
    // All names go to the disk.
    void write_back_names();

    // Draws what survives: entries() and contents() then tell. The tree takes each entry's node out
    // as it places it, and rebases at the end.
    void cut(const PowerLoss& loss, std::uint64_t world_seed);
    std::span<Entry> entries() { return entries_; }
    void copy(int from, int to);
    void load(int node, FileNode& into) const;
    // The live tree is what the disk has.
    void rebase();

private:
    struct Contents {
        mode_t mode = 0;
        Instant modified = 0;
        std::size_t size = 0;
        bool is_stale =
            false;  // in a cut: the live contents are of after a truncation that is lost
    };
    enum class Kind : unsigned char { put, remove, truncate };
    struct Change {
        Kind kind = Kind::put;
        bool is_synced = false;
        std::uint64_t operation = 0;  // the two halves of a rename have the same
        Entry entry;
    };
    class Draw;

    Contents& at(int node) { return contents_[static_cast<std::size_t>(node)]; }
    const FileNode& live(int node) const { return live_[static_cast<std::size_t>(node)]; }
    std::byte* bytes(int node) const {
        return &bytes_[static_cast<std::size_t>(node) * file_bytes_];
    }
    std::span<std::uint8_t> dirty(int node) {
        return std::span(dirty_).subspan(static_cast<std::size_t>(node) * sectors_, sectors_);
    }

    void log(Kind kind, int folder, std::string_view name, int node);
    void make_room();
    void settle_synced();
    void settle(std::size_t count);
    std::size_t end_of_operation(std::size_t change) const;
    void apply(const Change& change);
    void put(const Entry& entry);
    void remove(const Entry& entry);
    void save(int node);

    void cut_names(const PowerLoss& loss, Random& random);
    std::size_t draw_prefix(Random& random) const;
    void cut_contents(int node, const PowerLoss& loss, Random& random);
    void lose_size(int node, Random& random, bool ordered);
    void take_sectors(int node, std::size_t end, Random& random);

    const std::vector<FileNode>& live_;
    std::size_t file_bytes_;
    std::size_t sectors_;  // of the longest file
    std::size_t changes_max_;
    std::uint64_t operations_ = 0;
    std::vector<Entry> entries_;
    std::vector<Change> changes_;  // oldest first
    std::vector<Contents> contents_;
    std::unique_ptr<std::byte[]> bytes_;
    std::vector<std::uint8_t> dirty_;  // not synced since it was written: 1
};

}  // namespace ringlet::testing
