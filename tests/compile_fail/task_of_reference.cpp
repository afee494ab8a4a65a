// Results are values.
// expect: results are values: there is no Task<T&>
#include <ringlet/task/task.hpp>

ringlet::Task<int&> reference(int& number) {
    co_return number;
}
ringlet::Task<void> awaits() {
    int number = 1;
    co_await reference(number);
}
