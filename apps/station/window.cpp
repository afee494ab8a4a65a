#include <window.hpp>

#include <ringlet/app/json_lines.hpp>

#include <algorithm>

namespace station {

Channel* Window::find_or_make(const ChannelName& name) {
    const auto found = std::ranges::find(channels_, name, &Channel::name);
    if (found != channels_.end()) return found;
    if (channels_.size() == channels_max) return nullptr;
    channels_.push_back(Channel{.name = name});
    return channels_.end() - 1;
}

bool Window::add(const Reading& reading) {
    Channel* const channel = find_or_make(reading.channel);
    if (channel == nullptr) return false;
    const double value = reading.value;
    channel->min = channel->count == 0 ? value : std::min(channel->min, value);
    channel->max = channel->count == 0 ? value : std::max(channel->max, value);
    channel->sum += value;
    channel->last = value;
    ++channel->count;
    return true;
}

std::uint64_t Window::add_earlier(const Window& earlier) {
    std::uint64_t too_many = 0;
    for (const Channel& old : earlier.channels()) {
        Channel* const channel = find_or_make(old.name);
        if (channel == nullptr) {
            too_many += old.count;
        } else if (channel->count == 0) {
            *channel = old;
        } else {
            channel->min = std::min(channel->min, old.min);
            channel->max = std::max(channel->max, old.max);
            channel->sum += old.sum;
            channel->count += old.count;
        }
    }
    return too_many;
}

std::string_view write_batch(std::span<char, batch_bytes_max> memory, const BatchHead& head,
                             const Window& window, const Losses& losses) {
    RINGLET_ASSERT(head.station.size() <= name_bytes_max);
    ringlet::JsonLine line(memory);
    line.add("station", head.station)
        .add("sequence", head.sequence)
        .add("time_ms", head.ended / 1'000'000)
        .add("seconds", static_cast<double>(head.length.count() / 1'000'000) / 1e3)
        .add("condition", head.condition)
        .open("channels");
    for (const Channel& channel : window.channels()) {
        line.open(channel.name.view())
            .add("count", channel.count)
            .add("min", channel.min)
            .add("max", channel.max)
            .add("mean", channel.sum / static_cast<double>(channel.count))
            .add("last", channel.last)
            .close();
    }
    line.close()
        .open("lost")
        .add("bad_lines", losses.bad_lines)
        .add("line_errors", losses.line_errors)
        .add("bad_frames", losses.bad_frames)
        .add("can_frames", losses.can_frames)
        .add("edges", losses.edges)
        .add("channels", losses.channels)
        .add("batches", losses.batches)
        .add("refused", losses.refused)
        .close();
    const auto text = line.finish();
    RINGLET_ASSERT(text);
    return *text;
}

}  // namespace station
