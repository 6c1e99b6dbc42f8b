// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "podman/probe/dns_message.h"
#include "podman/probe/machine.h"

namespace podshark::probe {

/// Asks one name server over UDP for the addresses (A and AAAA) of `names`, one after the other as long as
/// the server says that there is no such name: the way a resolver goes through its search domains.
class DnsProbe : public SocketProbe {
 public:
  /// `first_id`: a random number, for forged answers' sake.
  DnsProbe(UniqueFd socket, const Endpoint& server, milliseconds timeout, std::vector<std::string> names,
           std::uint16_t first_id);
  void on_ready(TimePoint now) override;

 protected:
  void start(TimePoint now) override;
  void timer(TimePoint now) override;
  void expired(TimePoint now) override;

 private:
  void ask(TimePoint now);
  void judge(TimePoint now);
  std::vector<std::string> names_;
  std::size_t current_ = 0;
  std::uint16_t id_;  ///< of A; AAAA has the next one
  bool got_[2] = {};
  int code_[2] = {};
};

}  // namespace podshark::probe
