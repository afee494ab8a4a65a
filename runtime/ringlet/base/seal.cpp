// A build without a seal: ring/kernel_seal.cpp stands in this file's place where there is one.
#include <ringlet/base/seal.hpp>

namespace ringlet {

constinit SealHandler seal_handler = nullptr;

}  // namespace ringlet
