// SPDX-License-Identifier: GPL-2.0-or-later
// Connections that a program forwards (rootlessport, pasta, slirp4netns): which socket of the host belongs to
// which one in the container. The kernel does not tell; each match says what it rests on. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "extcap/capture/nat_log.h"
#include "podman/kernel/tcp_table.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

struct Forwarder {
  pid_t pid = 0;
  std::string program;                             ///< comm
  std::optional<std::set<std::uint64_t>> sockets;  ///< nothing: its descriptors may not be read
};

/// "rootlessport", "pasta", "slirp4netns" for such a program's comm, else empty.
[[nodiscard]] std::string forwarder_name(const std::string& comm);

/// Its connections with the outside are forwarded by a program, at least those to its published ports.
[[nodiscard]] bool forwarded(const model::Container& container);

/// Both socket tables at one moment.
struct ForwardView {
  const std::vector<kernel::TcpSocket>& host;
  const std::vector<kernel::TcpSocket>& inside;
  const std::vector<Forwarder>& forwarders;
};

/// Follows one container from look to look.
class ForwardMatcher {
 public:
  /// Records of the connections that are matched now, without a time. `now_ms`: of any clock that only goes
  /// forward.
  [[nodiscard]] std::vector<annotate::Event> look(const model::Container& container, const ForwardView& view,
                                                  std::int64_t now_ms);
  /// Something has appeared that is not matched yet: a further look may help.
  [[nodiscard]] bool unsure() const { return unsure_; }
  /// The records of those that were still there at the last look, as `seen`.
  [[nodiscard]] std::vector<annotate::Event> open_ones() const;
  /// Looks in which what has appeared may still be matched by that alone.
  static constexpr unsigned kLooks = 3;

 private:
  /// A connection seen from the one who opened it.
  struct Leg {
    model::Conntrack::Tuple tuple;
    std::uint64_t inode = 0;     ///< of the forwarder's socket, 0: not known
    std::uint32_t over_ms = 0;   ///< what is left of its waiting after its end, 0: not over
    std::int64_t since_ms = -1;  ///< when it was not there yet; -1: long ago
    bool before_us = false;      ///< it was there at the first look
  };
  using Legs = std::vector<Leg>;
  struct Match;

  struct Appearance {
    unsigned look = 0;
    std::int64_t since_ms = -1;
  };
  using Seen = std::map<model::Conntrack::Tuple, Appearance>;

  [[nodiscard]] Legs take_new(Legs legs, bool inner);
  void incoming(const model::Container& c, const ForwardView& view, std::vector<Match>& out);
  void outgoing(const model::Container& c, const ForwardView& view, std::vector<Match>& out);
  void match_by_process(Legs& outer, Legs& inner, const ForwardView& view, bool from_inside,
                        std::vector<Match>& out);
  void match_by_end(Legs& outer, Legs& inner, const std::string& usual, bool from_inside,
                    std::vector<Match>& out);
  void match_by_time(const Legs& outer, const Legs& inner, const ForwardView& view, const std::string& usual,
                     bool from_inside, std::vector<Match>& out);

  Seen outer_seen_, inner_seen_;  // at the look before
  Seen outer_now_, inner_now_;
  std::map<model::Conntrack::Tuple, annotate::Event> matched_outer_;
  std::set<model::Conntrack::Tuple> matched_inner_;
  std::int64_t before_ms_ = -1;  // the look before
  std::int64_t now_ms_ = 0;
  unsigned looks_ = 0;
  bool unsure_ = false;
};

}  // namespace podshark::extcap
