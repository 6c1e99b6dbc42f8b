// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "podman/annotate/codec.h"
#include "podman/core/result.h"

namespace podshark::extcap::check {

/// Tells changes of what the firewall rules do to running containers (podman/diagnose/rule_view.h), as
/// records of kind `firewall`, until `stop_fd` becomes readable or `tell` returns false. Rules of nft and
/// iptables-nft are read anew when the kernel says that they have changed, legacy ones every kLegacyPause. An
/// Error when no rules can be seen at all. With `losses`, also what rules that drop or reject and have a
/// counter have counted, every two seconds or more: records of kind `drop`.
[[nodiscard]] Status watch_rules(const std::function<bool(const annotate::Event&)>& tell, bool losses,
                                 int stop_fd);

}  // namespace podshark::extcap::check
