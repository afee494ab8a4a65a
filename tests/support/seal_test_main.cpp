// The main of every test program: a test in which the seal was broken has failed.
#include <gtest/gtest.h>

extern "C" unsigned ringlet_seal_violations();

namespace {

class SealListener : public testing::EmptyTestEventListener {
    void OnTestEnd(const testing::TestInfo& info) override {
        if (ringlet_seal_violations() == 0 || info.result()->Failed()) return;
        ADD_FAILURE() << "allocated while the runtime ran; see \"seal:\" above";
    }
};

}  // namespace

int main(int count, char** arguments) {
    testing::InitGoogleTest(&count, arguments);
    testing::UnitTest::GetInstance()->listeners().Append(new SealListener);
    return RUN_ALL_TESTS();
}
