#include "semaphore.hpp"

int main(int argc, char** argv) {
    return limit::measure_semaphore("semaphore", 3, argc, argv);
}
