// P12: with(open(), body) on resources of several kinds; a transaction commits or rolls back.
#include "support/cases.hpp"

#include <ringlet/ringlet.hpp>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

// A database in which a transaction's writes show only after its commit.
struct Database {
    int rows = 0;
    int begun = 0;
    int committed = 0;
    int rolled_back = 0;
    // Whatever happened, no transaction is open, and the rows are those of the commits.
    ~Database() {
        EXPECT_EQ(begun, committed + rolled_back);
        EXPECT_EQ(rows, committed);
    }
};

class Transaction {
public:
    explicit Transaction(Database& database) : database_(&database) { ++database.begun; }
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}

    Task<void> insert() {
        co_await sleep(500us);
        ++inserted_;
    }
    Task<void> leave(Outcome outcome) {
        co_await sleep(500us);
        co_await yield();
        if (outcome == Outcome::value) {
            database_->rows += inserted_;
            ++database_->committed;
        } else {
            ++database_->rolled_back;
        }
    }

private:
    Database* database_;
    int inserted_ = 0;
};

Task<Transaction> begin(Database& database) {
    co_await sleep(500us);
    co_return Transaction(database);
}

RINGLET_CASE(Transaction, commits_on_success) {
    Database database;
    co_await with(begin(database), [](Transaction& transaction) -> Task<void> {
        co_await transaction.insert();
    });
    EXPECT_EQ(database.rows, 1);
    EXPECT_EQ(database.committed, 1);
}

RINGLET_CASE(Transaction, rolls_back_on_an_error) {
    Database database;
    const auto body = [](Transaction& transaction) -> Task<void> {
        co_await transaction.insert();
        co_await fail(std::errc::invalid_argument);
    };
    const auto failed = co_await attempt(with(begin(database), body));
    EXPECT_TRUE(!failed && failed.error() == std::errc::invalid_argument);
    EXPECT_EQ(database.rows, 0);
    EXPECT_EQ(database.rolled_back, 1);
}

RINGLET_CASE(Transaction, rolls_back_on_a_cancellation) {
    Database database;
    const auto body = [](Transaction& transaction) -> Task<void> {
        co_await transaction.insert();
        co_await sleep(1h);
    };
    const auto late = co_await attempt(timeout(3ms, with(begin(database), body)));
    EXPECT_TRUE(!late && late.error() == std::errc::timed_out);
    EXPECT_EQ(database.rows, 0);
    EXPECT_EQ(database.begun, database.rolled_back);
}

RINGLET_CASE(Transaction, leaves_the_next_one_undisturbed) {
    Database database;
    for (int i = 0; i < 3; ++i) {
        const auto body = [&](Transaction& transaction) -> Task<int> {
            co_await transaction.insert();
            if (i == 1) co_await fail(std::errc::invalid_argument);
            co_return i;
        };
        const auto end = co_await attempt(with(begin(database), body));
        EXPECT_EQ(end.has_value(), i != 1);
    }
    EXPECT_EQ(database.rows, 2);
}

// The awaitable that opens need not be a Task, and the resource's close may be any awaitable.
class Timer {
public:
    Sleep close() { return sleep(1ms); }
};
Task<Timer> open_timer() {
    co_return Timer();
}

RINGLET_CASE(With, closes_by_any_awaitable_of_void) {
    const Instant start = scheduler().now();
    co_await with(open_timer(), [](Timer&) -> Task<void> { co_return; });
    EXPECT_GE(scheduler().now() - start, 1'000'000);
}

RINGLET_CASE(With, opens_by_any_awaitable) {
    const auto body = [](Timer&) -> Task<int> { co_return 2; };
    const auto in_time = co_await attempt(with(timeout(1s, open_timer()), body));
    EXPECT_TRUE(in_time && *in_time == 2);
    const int shielded = co_await with(shield(open_timer()), body);
    EXPECT_EQ(shielded, 2);
}

// A body whose own error is handled inside has succeeded.
RINGLET_CASE(Transaction, commits_when_the_body_has_dealt_with_its_error) {
    Database database;
    co_await with(begin(database), [](Transaction& transaction) -> Task<void> {
        const auto late = co_await attempt(timeout(0s, sleep(1h)));
        EXPECT_FALSE(late);
        co_await transaction.insert();
    });
    EXPECT_EQ(database.committed, 1);
}

}  // namespace
}  // namespace ringlet
