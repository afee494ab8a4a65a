#include "permits.hpp"

int main(int count, char** values) {
    const bench::Arguments arguments(count, values);
    bench::measure_permits("semaphore", arguments.number("ops", 2'000'000), 3);
}
