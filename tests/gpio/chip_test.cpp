// Finding chips, and what they say of themselves.
#include "gpio/gpio_cases.hpp"

#include <string_view>

namespace ringlet::support {
namespace {

TEST(GpioChip, is_found_by_path_label_and_name) {
    on_chip([](GpioChip&) -> Task<void> {
        const auto other = make_chip("/dev/gpiochip3", {.label = "other", .lines = 4});
        for (const char* way : {"/dev/gpiochip3", "other", "gpiochip3"}) {
            const auto found = co_await gpio::Chip::open(way);
            EXPECT_EQ(std::string_view(found.label()), "other");
            EXPECT_EQ(std::string_view(found.name()), "gpiochip3");
            EXPECT_EQ(found.lines(), 4u);
        }
    });
}

TEST(GpioChip, that_is_not_there_is_told_in_words) {
    on_chip([](GpioChip& chip) -> Task<void> {
        const auto unknown = co_await attempt(gpio::Chip::open("lib"));
        EXPECT_EQ(number_of(unknown), ENODEV);
        EXPECT_TRUE(!unknown && unknown.error() == gpio::Detail::no_chip);
        EXPECT_STREQ(text(unknown.error()), "there is no GPIO chip of that label or name");
        const auto far = make_chip("/dev/gpiochip9", {.label = "far"});
        const auto beyond = co_await attempt(gpio::Chip::open("far", {.chips = 9}));
        EXPECT_EQ(number_of(beyond), ENODEV);
        const auto missing = co_await attempt(gpio::Chip::open("/dev/gpiochip5"));
        EXPECT_EQ(number_of(missing), ENOENT);
        chip.world().write_file("/dev/file", "");
        const auto file = co_await attempt(gpio::Chip::open("/dev/file"));
        EXPECT_EQ(number_of(file), ENOTTY);
        chip.world().set_access("/dev", testing::FolderAccess::denied);
        const auto denied = co_await attempt(gpio::Chip::open("lab"));
        EXPECT_EQ(number_of(denied), EACCES);
    });
}

// Takes all descriptors of the run but `left`; they are closed with it.
class TakenDescriptors {
public:
    explicit TakenDescriptors(unsigned left) {
        for (unsigned i = 0; i + left < taken_.size(); ++i) {
            EXPECT_TRUE(scheduler().reserve_descriptor());
            const auto socket = scheduler().system().socket(AF_INET, SOCK_STREAM, 0);
            taken_[i] = Descriptor(socket ? *socket : -1);
        }
    }

private:
    std::array<Descriptor, gpio_limits.descriptors> taken_;
};

TEST(GpioChip, is_not_said_to_be_missing_if_something_else_is) {
    on_chip([](GpioChip& chip) -> Task<void> {
        {
            const TakenDescriptors none_left(0);
            const auto full = co_await attempt(gpio::Chip::open("lab"));
            EXPECT_TRUE(!full && full.error() == RuntimeDetail::descriptors);
        }
        co_await sleep(1ms);
        for (const int number : {EMFILE, ENFILE, ENOMEM, EIO}) {
            chip.world().fail_next(IORING_OP_OPENAT, number);
            const auto failed = co_await attempt(gpio::Chip::open("lab"));
            EXPECT_EQ(number_of(failed), number);
        }
        // One that is just going, and one that others may open.
        for (const int number : {ENODEV, ENXIO, EACCES, EPERM}) {
            const auto next = make_chip("/dev/gpiochip1", {.label = "next"});
            chip.world().fail_next(IORING_OP_OPENAT, number);
            const auto found = co_await attempt(gpio::Chip::open("next"));
            EXPECT_TRUE(found.has_value());
        }
    });
}

TEST(GpioChip, needs_one_descriptor_however_many_others_are_looked_at) {
    on_chip([](GpioChip& chip) -> Task<void> {
        chip.world().write_file("/dev/gpiochip1", "");  // something that is no chip
        const auto other = make_chip("/dev/gpiochip2", {.label = "other"});
        const TakenDescriptors one_left(1);
        const auto found = co_await attempt(gpio::Chip::open("other"));
        EXPECT_TRUE(found.has_value());
    });
}

TEST(GpioChip, tells_who_has_a_line) {
    on_chip([](GpioChip& chip) -> Task<void> {
        const auto opened = co_await gpio::Chip::open("lab");
        auto lamp = co_await gpio::Lines::open_output(pin(2, true), {.consumer = "lamp"});
        const auto used = opened.line(2);
        EXPECT_TRUE(used && used->is_used() && used->is_output() && used->is_active_low());
        EXPECT_STREQ(used->consumer, "lamp");
        const auto free = opened.line(3);
        EXPECT_TRUE(free && !free->is_used() && !free->is_output());
        EXPECT_EQ(number_of(opened.line(8)), EINVAL);
        co_await lamp.close();
        EXPECT_FALSE(chip.is_requested(2));
    });
}

}  // namespace
}  // namespace ringlet::support
