// OpenFile: a file or folder of the tree, opened: its place in the file and how it was opened.
#pragma once

#include <ringlet/testing/file_tree.hpp>
#include <ringlet/testing/object.hpp>

#include <fcntl.h>
#include <poll.h>

namespace ringlet::testing {

class OpenFile final : public Object {
public:
    explicit OpenFile(FileTree& tree) : tree_(tree) {}

    // Takes over the hold on the node that FileTree::open() gave.
    void open(int node, int flags) {
        node_ = node;
        flags_ = flags;
        position_ = 0;
    }

    int node() const { return node_; }
    Offset position() const { return position_; }
    void set_position(Offset position) { position_ = position; }

    int read(std::span<std::byte> out, Offset at) override {
        if ((flags_ & O_ACCMODE) == O_WRONLY) return -EBADF;
        if (at < at_position) return -EINVAL;
        const int count = tree_.read(node_, out, at == at_position ? position_ : at);
        if (at == at_position && count > 0) position_ += count;
        return count;
    }

    int write(std::span<const std::byte> in, Offset at) override {
        return write(in, at, (flags_ & O_APPEND) != 0);
    }
    // `appends`: with O_APPEND or RWF_APPEND, Linux appends wherever it was told to write. Source:
    // pwrite(2), "BUGS".
    int write(std::span<const std::byte> in, Offset at, bool appends) {
        if ((flags_ & O_ACCMODE) == O_RDONLY) return -EBADF;
        if (at < at_position) return -EINVAL;
        Offset start = at == at_position ? position_ : at;
        if (appends) start = static_cast<Offset>(tree_[node_].size);
        const int count = tree_.write(node_, in, start);
        if (at == at_position && count > 0) position_ = start + count;
        if (count > 0 && (flags_ & O_DSYNC) != 0) tree_.sync(node_, (flags_ & O_SYNC) != O_SYNC);
        return count;
    }

    unsigned ready() const override { return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM; }
    mode_t mode() const override { return tree_[node_].mode; }
    OpenFile* as_file() override { return this; }

private:
    void closed() override { tree_.release(node_); }

    FileTree& tree_;
    int node_ = FileTree::none;
    int flags_ = 0;
    Offset position_ = 0;
};

}  // namespace ringlet::testing
