#include "semaphore.hpp"

int main(int argc, char** argv) {
    return limit::measure_semaphore("mutex", 1, argc, argv);
}
