// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel says of tracked connections (ctnetlink, linux/netfilter/nfnetlink_conntrack.h). The
// messages come out of namespaces that containers may control, so every length in them is checked. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "podman/model/connection.h"

namespace podshark::kernel {

struct ConntrackMessage {
  enum class Kind {
    entry,      ///< a connection that is new, has changed or is listed
    destroyed,  ///< one that is not tracked any more
    done,       ///< end of a list
    failed,     ///< an answer: `error`, 0 for an acknowledgement
  };
  Kind kind = Kind::entry;
  std::uint32_t sequence = 0;  ///< of the request that it answers, 0 for an event
  int error = 0;               ///< errno
  model::Conntrack entry;      ///< what the message leaves out is zero
};

/// One netlink message, header included. Nothing for those of other subsystems.
[[nodiscard]] std::optional<ConntrackMessage> parse_conntrack(std::string_view message);

}  // namespace podshark::kernel
