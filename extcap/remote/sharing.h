// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

#include "extcap/remote/far_host.h"

namespace podshark::extcap::remote {

/// The same host for several short questions one after the other: they share one connection, which ssh keeps
/// for five seconds after the last of them. As it is where the user's ssh_config(5) has a say in that, and
/// where there is no private directory for its socket. Asks ssh -G.
[[nodiscard]] FarHost shared(const FarHost& host);

/// What ssh -G printed: the user has settled it himself. Pure.
[[nodiscard]] bool shares_already(std::string_view config);

}  // namespace podshark::extcap::remote
