// cJSON over an arena, parsing, and messages with a place in them.
#include <ringlet/app/json.hpp>

#include <ringlet/app/json_syntax.hpp>
#include <ringlet/app/utf8.hpp>
#include <ringlet/base/panic.hpp>

#include <cjson/cJSON.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <locale.h>

namespace ringlet {
namespace {

static_assert(sizeof(cJSON) <= json_value_bytes);
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// From the root to a value, both included: a value may stand in json_nesting_max containers.
struct Trail {
    std::array<const cJSON*, json_nesting_max + 1> nodes;
    std::size_t size = 0;
};

// A value knows neither parent nor document: it is looked for from the root, since only errors ask.
bool find_trail(const cJSON* from, const cJSON* wanted, Trail& trail) {
    RINGLET_ASSERT(trail.size < trail.nodes.size());
    trail.nodes[trail.size++] = from;
    if (from == wanted) return true;
    for (const cJSON* child = from->child; child != nullptr; child = child->next) {
        if (find_trail(child, wanted, trail)) return true;
    }
    --trail.size;
    return false;
}

// A reference token of RFC 6901.
void append_token(TextBuffer& text, std::string_view key) {
    text.append('/');
    for (const char c : key) {
        if (c == '~') text.append("~0");
        else if (c == '/') text.append("~1");
        else text.append_printable({&c, 1});
    }
}

void append_pointer(TextBuffer& text, const Trail& trail) {
    for (std::size_t i = 1; i < trail.size; ++i) {
        const cJSON* const node = trail.nodes[i];
        if (node->string != nullptr) {
            append_token(text, node->string);
            continue;
        }
        std::uint64_t index = 0;
        const cJSON* sibling = trail.nodes[i - 1]->child;
        for (; sibling != node; sibling = sibling->next) ++index;
        text.append('/');
        text.append_number(index);
    }
}

void append_found(TextBuffer& text, std::string_view rest) {
    const std::size_t size = utf8_length(rest);
    if (rest.empty()) text.append(", found the end of the text");
    else if (size == 0 || is_control(rest.front())) {
        text.format(", found the byte 0x%02X", static_cast<unsigned char>(rest.front()));
    } else {
        text.append(", found '");
        text.append(rest.substr(0, size));
        text.append('\'');
    }
}

// Numbers must be read with a point in every locale. cJSON cares for that only if it was built with
// ENABLE_LOCALES. The C locale costs no allocation, and the switch only two stores.
class CLocale {
public:
    CLocale() : previous_(::uselocale(c_locale())) {}
    CLocale(const CLocale&) = delete;
    CLocale& operator=(const CLocale&) = delete;
    ~CLocale() { ::uselocale(previous_); }

private:
    static locale_t c_locale() {
        static const locale_t locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
        return locale;
    }

    locale_t previous_;
};

}  // namespace

// Sends cJSON's allocations to one arena, and gives malloc back to other users of cJSON.
class Json::Hooks {
public:
    explicit Hooks(Json& json) {
        RINGLET_ASSERT(!busy_.test_and_set(std::memory_order_acquire));
        current_ = &json;
        cJSON_Hooks hooks{
            [](std::size_t bytes) { return current_->arena_.allocate(bytes); },
            [](void* pointer) { current_->arena_.release(pointer); },
        };
        cJSON_InitHooks(&hooks);
    }
    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;
    ~Hooks() {
        cJSON_InitHooks(nullptr);
        current_ = nullptr;
        busy_.clear(std::memory_order_release);
    }

private:
    static inline constinit std::atomic_flag busy_{};
    static inline constinit Json* current_ = nullptr;
};

Json::~Json() {
    RINGLET_ASSERT(!has_document_);
}

std::unexpected<Error> Json::refuse_text(std::string_view text, std::size_t offset,
                                         const char* words, JsonDetail detail) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
    message_.clear();
    message_.append("line ");
    message_.append_number(std::uint64_t{1} + static_cast<std::uint64_t>(
                                                  std::count(before.begin(), before.end(), '\n')));
    message_.append(", column ");
    message_.append_number(std::uint64_t{utf8_count(before.substr(line_start))} + 1);
    message_.append(": ");
    message_.append(words);
    if (std::string_view(words).starts_with("expected")) {
        append_found(message_, text.substr(offset));
    }
    return std::unexpected(
        Error(std::errc::bad_message, Domain::json, static_cast<std::uint16_t>(detail)));
}

void Json::begin_message_at(const cJSON* node, std::string_view key) {
    Trail trail;
    RINGLET_ASSERT(find_trail(root_, node, trail));
    message_.clear();
    append_pointer(message_, trail);
    if (!key.empty()) append_token(message_, key);
    message_.append(message_.size() == 0 ? "top level: " : ": ");
}

std::unexpected<Error> Json::refuse_at(const cJSON* node, JsonDetail detail, const char* format,
                                       ...) {
    begin_message_at(node, {});
    char words[json_message_bytes];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    message_.append_printable(words);
    return std::unexpected(
        Error(std::errc::bad_message, Domain::json, static_cast<std::uint16_t>(detail)));
}

// Quadratic in the members of one object, which are few: json_members_max.
Result<void> Json::check_keys(const cJSON* node) {
    const bool is_object = cJSON_IsObject(node);
    std::size_t count = 0;
    for (const cJSON* child = node->child; child != nullptr; child = child->next) {
        if (is_object) {
            if (++count > json_members_max) {
                return refuse_at(node, JsonDetail::members, "more than %zu members",
                                 json_members_max);
            }
            for (const cJSON* other = node->child; other != child; other = other->next) {
                if (std::strcmp(other->string, child->string) == 0) {
                    return refuse_at(child, JsonDetail::duplicate_key, "duplicate key");
                }
            }
        }
        if (child->child == nullptr) continue;
        const auto checked = check_keys(child);
        if (!checked) return checked;
    }
    return {};
}

Result<JsonDocument> Json::parse(std::string_view text) {
    RINGLET_ASSERT(!has_document_);
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    if (const auto fault = find_json_fault(text)) {
        const auto detail = fault->is_nesting ? JsonDetail::nesting : JsonDetail::syntax;
        return refuse_text(text, fault->offset, fault->words, detail);
    }
    arena_.clear();
    const char* end = text.data();
    {
        const Hooks hooks(*this);
        const CLocale locale;
        root_ = cJSON_ParseWithLengthOpts(text.data(), text.size(), &end, false);
    }
    if (arena_.is_full()) {
        message_.clear();
        message_.format("the document does not fit into the arena of %zu bytes",
                        arena_.capacity_bytes());
        return std::unexpected(Error(std::errc::not_enough_memory, Domain::json,
                                     static_cast<std::uint16_t>(JsonDetail::memory)));
    }
    if (root_ == nullptr) {  // a cJSON that was built with limits of its own
        const auto offset = static_cast<std::size_t>(end - text.data());
        return refuse_text(text, offset, "cJSON refuses the text", JsonDetail::syntax);
    }
    const auto checked = check_keys(root_);
    if (!checked) return std::unexpected(checked.error());
    has_document_ = true;
    return JsonDocument(this, root_);
}

JsonDocument::~JsonDocument() {
    if (json_ != nullptr) json_->has_document_ = false;
}

JsonValue JsonDocument::root() const {
    RINGLET_ASSERT(json_ != nullptr);
    return {json_, node_};
}

}  // namespace ringlet
