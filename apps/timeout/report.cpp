// Lines and the table.
#include <report.hpp>

#include <ringlet/app/format.hpp>
#include <ringlet/app/json_lines.hpp>
#include <ringlet/app/table.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace timeout_app {

using ringlet::Align;
using ringlet::CircuitState;
using ringlet::FixedText;
using ringlet::JsonLine;
using ringlet::Nanoseconds;
using ringlet::TableColumn;
using ringlet::text;
using ringlet::TextBuffer;

namespace {

using FailedAt = FixedText<128>;

// Wider endpoints are cut in the table. What scripts read are the lines.
constexpr std::size_t endpoint_columns_max = 64;

const char* name(CircuitState state) {
    switch (state) {
        case CircuitState::closed: return "closed";
        case CircuitState::open: return "open";
        case CircuitState::half_open: return "half-open";
    }
    return "";
}

double in_ms(Nanoseconds span) {
    return static_cast<double>(span.count()) / 1e6;
}

void finish(JsonLine& line, TextBuffer& to) {
    const auto words = line.finish();
    RINGLET_ASSERT(words.has_value());  // line_bytes_max has room for the longest
    to.append(*words);
}

void add_latency(JsonLine& line, const ringlet::Histogram& latency) {
    line.open("latency_ms");
    const struct {
        const char* name;
        Nanoseconds span;
    } all[] = {{"p50", latency.quantile(0.5)},
               {"p90", latency.quantile(0.9)},
               {"p99", latency.quantile(0.99)},
               {"max", latency.max()}};
    for (const auto& each : all) {
        if (latency.count() > 0) {
            line.add(each.name, in_ms(each.span));
        } else {
            line.add_null(each.name);
        }
    }
    line.close();
}

void add_failures(JsonLine& line, const Tally& tally) {
    line.open("failures");
    for (std::size_t i = 0; i < steps; ++i) {
        const auto step = static_cast<Step>(i);
        if (tally.failed_at(step) > 0) line.add(timeout_app::name(step), tally.failed_at(step));
    }
    line.close();
}

void append_failed_at(TextBuffer& to, const Tally& tally) {
    for (std::size_t i = 0; i < steps; ++i) {
        const auto step = static_cast<Step>(i);
        if (tally.failed_at(step) == 0) continue;
        to.format("%s%s %llu", to.size() > 0 ? ", " : "", timeout_app::name(step),
                  static_cast<unsigned long long>(tally.failed_at(step)));
    }
    if (to.size() == 0) to.append('-');
}

// Rounded down, so that 100 means all.
void append_percent(TextBuffer& to, const Tally& tally) {
    if (tally.probes == 0) return to.append('-');
    const std::uint64_t permille = tally.ok * 1000 / tally.probes;
    to.append_fixed(static_cast<double>(permille) / 10, 1);
}

class Span {
public:
    Span(const ringlet::Histogram& latency, Nanoseconds span) {
        if (latency.count() > 0) {
            ringlet::append_duration_rounded(text_, span);
        } else {
            text_.append('-');
        }
    }
    std::string_view view() const { return text_.view(); }

private:
    FixedText<32> text_;
};

void append_table_row(TextBuffer& to, std::span<const TableColumn> columns,
                      const Watched& watched) {
    const Tally& tally = watched.tally;
    const ringlet::Histogram& latency = tally.latency;
    FixedText<16> percent;
    append_percent(percent, tally);
    FixedText<24> probes;
    probes.append_number(tally.probes);
    FailedAt failed_at;
    append_failed_at(failed_at, tally);
    ringlet::append_table_row(
        to, columns,
        {watched.prober.endpoint().text, percent.view(), probes.view(),
         Span(latency, latency.quantile(0.5)).view(), Span(latency, latency.quantile(0.9)).view(),
         Span(latency, latency.quantile(0.99)).view(), Span(latency, latency.max()).view(),
         failed_at.view(), name(watched.prober.breaker_state())});
}

}  // namespace

void append_probe_line(TextBuffer& to, const Endpoint& endpoint, const Probe& probe) {
    std::array<char, line_bytes_max> memory;
    JsonLine line(memory);
    line.open("probe")
        .add("endpoint", endpoint.text)
        .add("number", probe.number)
        .add("ok", probe.ok)
        .add("ms", in_ms(probe.took))
        .add("attempts", probe.attempts);
    if (probe.ok) {
        line.add_null("step").add_null("error");
    } else {
        line.add("step", timeout_app::name(probe.step)).add("error", text(probe.error));
    }
    line.close();
    finish(line, to);
}

void append_endpoint_line(TextBuffer& to, const Watched& watched) {
    const Tally& tally = watched.tally;
    std::array<char, line_bytes_max> memory;
    JsonLine line(memory);
    line.open("endpoint")
        .add("endpoint", watched.prober.endpoint().text)
        .add("probes", tally.probes)
        .add("ok", tally.ok);
    if (tally.probes > 0) {
        line.add("availability", tally.availability());
    } else {
        line.add_null("availability");
    }
    add_latency(line, tally.latency);
    add_failures(line, tally);
    if (tally.last_error != ringlet::Error()) {
        line.add("last_error", text(tally.last_error));
    } else {
        line.add_null("last_error");
    }
    line.add("breaker", name(watched.prober.breaker_state())).close();
    finish(line, to);
}

void append_table(TextBuffer& to, std::span<const Watched> all) {
    TableColumn columns[] = {{"ENDPOINT", 0},           {"AVAIL%", 6, Align::right},
                             {"PROBES", 6, Align::right}, {"P50", 6, Align::right},
                             {"P90", 6, Align::right},    {"P99", 6, Align::right},
                             {"MAX", 6, Align::right},    {"FAILED-AT", 0},
                             {"BREAKER", 0}};
    for (TableColumn& each : columns) each.width = std::max(each.width, each.title.size());
    TableColumn& endpoint = columns[0];
    TableColumn& failed_at = *(std::end(columns) - 2);
    for (const Watched& each : all) {
        endpoint.width = std::max(endpoint.width, each.prober.endpoint().text.size());
        FailedAt words;
        append_failed_at(words, each.tally);
        failed_at.width = std::max(failed_at.width, words.size());
    }
    endpoint.width = std::min(endpoint.width, endpoint_columns_max);
    ringlet::append_table_head(to, columns);
    for (const Watched& each : all) append_table_row(to, columns, each);
}

void append_summary_line(TextBuffer& to, const Summary& summary) {
    std::array<char, 256> memory;
    JsonLine line(memory);
    line.open("summary")
        .add("endpoints", summary.endpoints)
        .add("probes", summary.probes)
        .add("ok", summary.ok)
        .add("failed", summary.probes - summary.ok)
        .add("seconds", summary.seconds)
        .close();
    finish(line, to);
}

void append_summary_text(TextBuffer& to, const Summary& summary) {
    to.format("timeout: %zu endpoints, %llu probes (%llu ok, %llu failed) in ",
              summary.endpoints, static_cast<unsigned long long>(summary.probes),
              static_cast<unsigned long long>(summary.ok),
              static_cast<unsigned long long>(summary.probes - summary.ok));
    to.append_fixed(summary.seconds, 3);
    to.append(" s\n");
}

}  // namespace timeout_app
