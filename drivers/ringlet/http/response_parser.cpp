// The callbacks of llhttp, and the framing of bodies.
#include <ringlet/http/response_parser.hpp>

#include <ringlet/http/error.hpp>

#include <llhttp.h>

#include <algorithm>
#include <cstring>

namespace ringlet::http {
namespace {

std::unexpected<Error> refused(Reason why, Step step) {
    return std::unexpected(make_error(why, step));
}

const char* characters_of(std::span<const std::byte> bytes) {
    return reinterpret_cast<const char*>(bytes.data());
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

}  // namespace

// Those of the head store; those of a body that has chunks copy it out. Trailers are left out.
struct ResponseParser::Callbacks {
    static llhttp_t& machine(ResponseParser& parser) {
        static_assert(sizeof(llhttp_t) <= sizeof parser.machine_);
        static_assert(alignof(llhttp_t) <= alignof(std::uint64_t));
        return *reinterpret_cast<llhttp_t*>(parser.machine_);
    }
    static const llhttp_t& machine(const ResponseParser& parser) {
        return *reinterpret_cast<const llhttp_t*>(parser.machine_);
    }
    static ResponseParser& self(llhttp_t* machine) {
        return *static_cast<ResponseParser*>(machine->data);
    }

    static int message_begin(llhttp_t* machine) {
        self(machine).stored_ = self(machine).name_begin_ = 0;
        return HPE_OK;
    }
    static int characters(llhttp_t* machine, const char* at, std::size_t count) {
        if (!self(machine).head_is_complete()) self(machine).store(at, count);
        return HPE_OK;
    }
    static int name_end(llhttp_t* machine) {
        if (self(machine).head_is_complete()) return HPE_OK;
        return self(machine).end_name() ? HPE_OK : HPE_USER;
    }
    static int value_end(llhttp_t* machine) {
        if (!self(machine).head_is_complete()) self(machine).end_value();
        return HPE_OK;
    }
    static int headers_complete(llhttp_t*) { return HPE_PAUSED; }
    static int body(llhttp_t* machine, const char* at, std::size_t count) {
        ResponseParser& parser = self(machine);
        std::memmove(parser.out_, at, count);
        parser.out_ += count;
        parser.overhead_ = 0;
        return HPE_OK;
    }
    static int message_complete(llhttp_t* machine) {
        // That of an interim response means nothing: the real one follows.
        if (!self(machine).head_is_complete()) return HPE_OK;
        self(machine).chunks_have_ended_ = true;
        return HPE_PAUSED;
    }

    static constexpr llhttp_settings_t settings() {
        llhttp_settings_t settings{};
        settings.on_message_begin = message_begin;
        settings.on_header_field = characters;
        settings.on_header_field_complete = name_end;
        settings.on_header_value = characters;
        settings.on_header_value_complete = value_end;
        settings.on_headers_complete = headers_complete;
        settings.on_body = body;
        settings.on_message_complete = message_complete;
        return settings;
    }
};

void ResponseParser::begin(std::span<char> room, bool to_head_request) {
    static constexpr llhttp_settings_t settings = Callbacks::settings();
    llhttp_t& machine = Callbacks::machine(*this);
    llhttp_init(&machine, HTTP_RESPONSE, &settings);
    machine.data = this;
    // Or it would swallow, in silence, what follows an interim response that says "close".
    llhttp_set_lenient_keep_alive(&machine, 1);
    room_ = room;
    stored_ = name_begin_ = head_bytes_ = overhead_ = 0;
    left_ = 0;
    content_length_.reset();
    status_ = 0;
    state_ = State::head;
    to_head_request_ = to_head_request;
    keeps_alive_ = chunks_have_ended_ = false;
}

// --- the head

Result<std::size_t> ResponseParser::feed_head(std::span<const std::byte> bytes) {
    llhttp_t& machine = Callbacks::machine(*this);
    std::size_t taken = 0;
    while (taken < bytes.size() && !head_is_complete()) {
        // No more than the limit is looked at, so what is stored always fits.
        const std::size_t allowed = std::min(bytes.size() - taken, room_.size() - head_bytes_);
        if (allowed == 0) return refused(Reason::header_bytes, Step::head);
        const char* const from = characters_of(bytes) + taken;
        const llhttp_errno_t stopped = llhttp_execute(&machine, from, allowed);
        if (stopped == HPE_OK) {
            taken += allowed;
            head_bytes_ += allowed;
            continue;
        }
        const auto used = static_cast<std::size_t>(llhttp_get_error_pos(&machine) - from);
        taken += used;
        head_bytes_ += used;
        if (stopped != HPE_PAUSED) return refused(Reason::malformed, Step::head);
        const auto checked = check_head();
        if (!checked) return std::unexpected(checked.error());
        llhttp_resume(&machine);
    }
    return taken;
}

// All headers have come: of an interim response, or of the one that counts.
Result<void> ResponseParser::check_head() {
    const llhttp_t& machine = Callbacks::machine(*this);
    status_ = machine.status_code;
    if (machine.http_major != 1 || machine.http_minor > 1 || status_ < 100) {
        return refused(Reason::malformed, Step::head);
    }
    if (status_ == 101) return refused(Reason::upgrade, Step::head);
    if (status_ < 200) {
        if ((machine.flags & (F_CONTENT_LENGTH | F_TRANSFER_ENCODING)) == 0) return {};
        return refused(Reason::malformed, Step::head);  // an interim response has no body
    }
    if ((machine.flags & F_CONTENT_LENGTH) != 0) content_length_ = machine.content_length;
    if ((machine.flags & F_TRANSFER_ENCODING) != 0) {
        const auto checked = check_encoding();
        if (!checked) return checked;
    }
    open_body(to_head_request_);
    return {};
}

// Chunks, and nothing else: other codings would have to be undone, and HTTP/1.0 knows none.
Result<void> ResponseParser::check_encoding() const {
    unsigned count = 0;
    for (const Header header : headers()) {
        if (!same_name(header.name, "transfer-encoding")) continue;
        ++count;
        if (!same_name(header.value, "chunked")) return refused(Reason::encoding, Step::head);
    }
    const bool is_old = Callbacks::machine(*this).http_minor == 0;
    if (count != 1 || is_old || content_length_) return refused(Reason::malformed, Step::head);
    return {};
}

// What ends the body (RFC 9112, 6.3).
void ResponseParser::open_body(bool to_head_request) {
    const llhttp_t& machine = Callbacks::machine(*this);
    const bool is_new = machine.http_minor == 1;
    keeps_alive_ = is_new ? (machine.flags & F_CONNECTION_CLOSE) == 0
                          : (machine.flags & F_CONNECTION_KEEP_ALIVE) != 0;
    if (to_head_request || status_ == 204 || status_ == 304) {
        state_ = State::ended;
    } else if ((machine.flags & F_CHUNKED) != 0) {
        state_ = State::chunked;
    } else if (content_length_) {
        left_ = *content_length_;
        state_ = left_ == 0 ? State::ended : State::counted;
    } else {
        state_ = State::until_end;
        keeps_alive_ = false;
    }
}

void ResponseParser::store(const char* characters, std::size_t count) {
    RINGLET_ASSERT(count <= room_.size() - stored_);
    std::memcpy(room_.data() + stored_, characters, count);
    stored_ += count;
}

// llhttp lets blanks pass in a name, and before the colon: "Transfer-Encoding : chunked" would be a
// header to some and none to others.
bool ResponseParser::end_name() {
    const bool is_name = is_header_name({room_.data() + name_begin_, stored_ - name_begin_});
    store("", 1);
    return is_name;
}

// Without the blanks before the line's end (RFC 9110, 5.5).
void ResponseParser::end_value() {
    while (stored_ > 0 && is_blank(room_[stored_ - 1]))
        --stored_;
    store("", 1);
    name_begin_ = stored_;
}

std::optional<std::string_view> ResponseParser::header(std::string_view name) const {
    for (const Header each : headers()) {
        if (same_name(each.name, name)) return each.value;
    }
    return std::nullopt;
}

// --- the body

Result<ResponseParser::Decoded> ResponseParser::decode(std::span<const std::byte> in,
                                                       std::span<std::byte> out) {
    RINGLET_ASSERT(head_is_complete() && !out.empty());
    switch (state_) {
        case State::chunked: return decode_chunks(in, out);
        case State::counted:
        case State::until_end: return copy(in, out);
        case State::head:
        case State::ended: break;
    }
    return Decoded();
}

ResponseParser::Decoded ResponseParser::copy(std::span<const std::byte> in,
                                             std::span<std::byte> out) {
    const std::size_t count = std::min(in.size(), straight_room(out.size()));
    if (count == 0) return {};
    std::memmove(out.data(), in.data(), count);
    took_straight(count);
    return {count, count};
}

// Never feeds more than `out` has room for, so that every byte of the body fits.
Result<ResponseParser::Decoded> ResponseParser::decode_chunks(std::span<const std::byte> in,
                                                              std::span<std::byte> out) {
    llhttp_t& machine = Callbacks::machine(*this);
    in = in.first(std::min(in.size(), out.size()));
    out_ = out.data();
    overhead_ += in.size();
    const llhttp_errno_t stopped = llhttp_execute(&machine, characters_of(in), in.size());
    if (stopped != HPE_OK && stopped != HPE_PAUSED) return refused(Reason::malformed, Step::body);
    if (overhead_ > room_.size()) return refused(Reason::header_bytes, Step::body);
    Decoded done{in.size(), static_cast<std::size_t>(out_ - out.data())};
    if (!chunks_have_ended_) return done;
    done.taken = static_cast<std::size_t>(llhttp_get_error_pos(&machine) - characters_of(in));
    state_ = State::ended;
    return done;
}

std::size_t ResponseParser::straight_room(std::size_t wanted) const {
    if (state_ == State::until_end) return wanted;
    if (state_ != State::counted) return 0;
    return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left_));
}

void ResponseParser::took_straight(std::size_t count) {
    if (state_ == State::until_end) return;
    RINGLET_ASSERT(state_ == State::counted && count <= left_);
    left_ -= count;
    if (left_ == 0) state_ = State::ended;
}

std::optional<std::uint64_t> ResponseParser::left() const {
    if (state_ == State::ended) return 0;
    if (state_ == State::counted) return left_;
    return std::nullopt;
}

Result<void> ResponseParser::feed_end() {
    if (state_ == State::until_end) state_ = State::ended;
    if (state_ == State::ended) return {};
    return refused(Reason::closed_early, head_is_complete() ? Step::body : Step::head);
}

}  // namespace ringlet::http
