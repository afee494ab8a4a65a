// What a received message's header tells.
#include <ringlet/io/datagram.hpp>

namespace ringlet {

DatagramFrom ReceiveFrom::value(int result) {
    const auto whole = static_cast<std::size_t>(result);
    DatagramFrom received;
    received.size = std::min(whole, into_.size());
    received.truncated = whole > into_.size();
    received.address = sender_;
    received.address.set_told_size(header_.msg_namelen);
    return received;
}

}  // namespace ringlet
