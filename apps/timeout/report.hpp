// Report: what was measured, as text.
#pragma once

#include <prober.hpp>
#include <tally.hpp>

#include <ringlet/app/text_buffer.hpp>

#include <span>

namespace timeout_app {

using namespace ringlet::literals;

// An endpoint and what is known of it.
struct Watched {
    Watched(const Settings& settings, const Endpoint& endpoint, ringlet::dns::Resolver& resolver,
            HttpStorage& storage)
        : prober(settings, endpoint, resolver, storage) {}

    Prober prober;
    Tally tally;
};

// The longest of the lines below: a byte of an endpoint takes up to six in JSON.
inline constexpr std::size_t line_bytes_max = 6 * endpoint_bytes_max + 1_KiB;

// JSON Lines: a probe, an endpoint.
void append_probe_line(ringlet::TextBuffer& text, const Endpoint& endpoint, const Probe& probe);
void append_endpoint_line(ringlet::TextBuffer& text, const Watched& watched);

// What the table of all endpoints takes at most.
inline constexpr std::size_t table_bytes_max = (endpoints_max + 1) * 384;
void append_table(ringlet::TextBuffer& text, std::span<const Watched> all);

struct Summary {
    std::size_t endpoints = 0;
    std::uint64_t probes = 0;
    std::uint64_t ok = 0;
    double seconds = 0;
};
void append_summary_line(ringlet::TextBuffer& text, const Summary& summary);
void append_summary_text(ringlet::TextBuffer& text, const Summary& summary);

}  // namespace timeout_app
