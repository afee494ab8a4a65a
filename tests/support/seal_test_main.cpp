// The main of every test program: a test in which the seal was broken has failed.
#include <ringlet/ring/kernel_seal.hpp>

#include <gtest/gtest.h>

#include <csignal>

class SealListener : public testing::EmptyTestEventListener {
    void OnTestEnd(const testing::TestInfo& info) override {
        if (ringlet::seal_breaches() == 0 || info.result()->Failed()) return;
        ADD_FAILURE() << "allocated while the runtime ran; see \"seal:\" above";
    }
};

int main(int count, char** arguments) {
    std::signal(SIGINT, SIG_DFL);  // ignored, it would not stop a run
    ringlet::set_seal_reaction(ringlet::SealReaction::report);
    testing::InitGoogleTest(&count, arguments);
    testing::UnitTest::GetInstance()->listeners().Append(new SealListener);
    return RUN_ALL_TESTS();
}
