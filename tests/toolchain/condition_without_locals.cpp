// co_await inside the condition of a coroutine whose body declares no local.

#include "probe.hpp"

probe::Coroutine in_if(int& branch) {
    if (co_await probe::Later{1}) {
        branch = 1;
    } else {
        branch = 2;
    }
}

probe::Coroutine in_while(int& rounds) {
    while (co_await probe::Later{rounds < 3}) {
        ++rounds;
    }
}

probe::Coroutine in_for(int& rounds) {
    for (; co_await probe::Later{rounds < 3};) {
        ++rounds;
    }
}

probe::Coroutine in_switch(int& chosen) {
    switch (co_await probe::Later{2}) {
        case 1: chosen = 1; break;
        case 2: chosen = 2; break;
        default: chosen = 3; break;
    }
}

int main() {
    int branch = 0;
    in_if(branch);
    probe::resume();

    int rounds[2] = {};
    in_while(rounds[0]);
    while (probe::suspended && rounds[0] < 10) {
        probe::resume();
    }
    in_for(rounds[1]);
    while (probe::suspended && rounds[1] < 10) {
        probe::resume();
    }

    int chosen = 0;
    in_switch(chosen);
    probe::resume();
    return branch == 1 && rounds[0] == 3 && rounds[1] == 3 && chosen == 2 ? 0 : 1;
}
