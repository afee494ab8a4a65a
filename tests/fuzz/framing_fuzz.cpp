// LineBuffer and FrameBuffer against models that see all bytes at once: however the input is split,
// the same lines and frames come out, in the same order, with the same errors.
//
//   input:  kind | options | limit | storage beyond it | pieces | the stream's bytes...
#include <fuzz_input.hpp>

#include <ringlet/io/frame_buffer.hpp>
#include <ringlet/io/line_buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet {
namespace {

using fuzz::expect;
using fuzz::Head;
using fuzz::Pieces;

// What a reader gives: content, or an error in place of it.
struct Item {
    std::string content;
    const char* error = nullptr;
    friend bool operator==(const Item&, const Item&) = default;
};
using Items = std::vector<Item>;

// Gives the stream's bytes in pieces whose sizes follow from one byte.
class Source {
public:
    Source(std::string_view stream, unsigned pieces) : stream_(stream), pieces_(pieces) {}

    template <class Buffer>
    void fill(Buffer& buffer) {
        const auto room = buffer.room();
        expect(!room.empty(), "there is room when more is needed");
        const std::size_t count = std::min({stream_.size(), room.size(), pieces_.next()});
        if (count > 0) std::memcpy(room.data(), stream_.data(), count);
        stream_.remove_prefix(count);
        buffer.fill(count);
    }

private:
    std::string_view stream_;
    Pieces pieces_;
};

constexpr const char* too_long = "too long";
constexpr const char* cut = "cut";

// --- lines

std::string_view without_return(std::string_view line, bool strip) {
    if (strip && line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Item line_item(std::string_view line, std::size_t limit) {
    if (line.size() > limit) return {"", too_long};
    return {std::string(line)};
}

Items model_lines(std::string_view stream, const LineOptions& options) {
    Items items;
    while (!stream.empty()) {
        const std::size_t end = stream.find('\n');
        if (end == std::string_view::npos) {
            items.push_back(line_item(stream, options.line_bytes_max));
            break;
        }
        const auto line = without_return(stream.substr(0, end), options.carriage_returns);
        items.push_back(line_item(line, options.line_bytes_max));
        stream.remove_prefix(end + 1);
    }
    return items;
}

Items read_lines(Source source, std::size_t storage_bytes, const LineOptions& options) {
    using Found = LineBuffer::Found;
    std::vector<char> storage(storage_bytes);  // on the heap, where ASan sees its ends
    LineBuffer buffer(storage, options);
    Items items;
    for (;;) {
        const Found found = buffer.look();
        expect(buffer.look() == found, "a second look finds the same");
        if (found == Found::end) break;
        if (found == Found::more) {
            source.fill(buffer);
            continue;
        }
        if (found == Found::line) {
            items.push_back({std::string(buffer.take())});
        } else {
            buffer.skip();
            items.push_back({"", too_long});
        }
        expect(buffer.line_number() == items.size(), "lines are counted");
    }
    return items;
}

void try_lines(Head head) {
    LineOptions options;
    options.carriage_returns = head.byte() % 2 == 0;
    options.line_bytes_max = head.byte() % 32;
    const std::size_t storage = std::max(options.line_bytes_max + 2, std::size_t{3}) + head.byte();
    const unsigned pieces = head.byte();
    const Items found = read_lines(Source(head.rest(), pieces), storage, options);
    expect(found == model_lines(head.rest(), options), "the lines are the model's");
}

// --- frames

Items model_frames(std::string_view stream, const FrameOptions& options) {
    Items items;
    while (!stream.empty()) {
        if (stream.size() < options.length_bytes) return items.push_back({"", cut}), items;
        std::uint64_t length = 0;
        for (unsigned i = 0; i < options.length_bytes; ++i) {
            const std::uint64_t digit = static_cast<unsigned char>(stream[i]);
            const unsigned last = options.length_bytes - 1;
            length |= digit << 8 * (options.order == std::endian::big ? last - i : i);
        }
        stream.remove_prefix(options.length_bytes);
        if (length > options.frame_bytes_max) return items.push_back({"", too_long}), items;
        if (length > stream.size()) return items.push_back({"", cut}), items;
        items.push_back({std::string(stream.substr(0, length))});
        stream.remove_prefix(length);
    }
    return items;
}

Items read_frames(Source source, std::size_t storage_bytes, const FrameOptions& options) {
    using Found = FrameBuffer::Found;
    std::vector<std::byte> storage(storage_bytes);
    FrameBuffer buffer(storage, options);
    Items items;
    for (;;) {
        switch (buffer.look()) {
            case Found::end: return items;
            case Found::cut: return items.push_back({"", cut}), items;
            case Found::too_long: return items.push_back({"", too_long}), items;
            case Found::more: source.fill(buffer); break;
            case Found::frame: {
                const auto frame = buffer.take();
                items.push_back(
                    {std::string(reinterpret_cast<const char*>(frame.data()), frame.size())});
                break;
            }
        }
    }
}

void try_frames(Head head) {
    const unsigned choice = head.byte();
    FrameOptions options;
    options.length_bytes = 1u << choice % 3;
    options.order = choice & 4 ? std::endian::big : std::endian::little;
    options.frame_bytes_max = head.byte() % 64;
    const std::size_t longest = std::max(options.frame_bytes_max, std::size_t{1});
    const std::size_t storage = options.length_bytes + longest + head.byte();
    const unsigned pieces = head.byte();
    const Items found = read_frames(Source(head.rest(), pieces), storage, options);
    expect(found == model_frames(head.rest(), options), "the frames are the model's");
}

}  // namespace
}  // namespace ringlet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    ringlet::fuzz::Head head(std::string_view(reinterpret_cast<const char*>(bytes), size));
    head.byte() % 2 == 0 ? ringlet::try_lines(head) : ringlet::try_frames(head);
    return 0;
}
