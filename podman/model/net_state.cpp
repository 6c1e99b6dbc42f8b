// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/model/net_state.h"

namespace podshark::model {

bool Listener::any() const {
  constexpr std::uint8_t kNothing[4] = {};
  return address == IpAddress{} || address == IpAddress::v4(kNothing);
}

}  // namespace podshark::model
