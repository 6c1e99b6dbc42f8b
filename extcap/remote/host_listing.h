// SPDX-License-Identifier: GPL-2.0-or-later
// What ran on another machine when it was last asked, as Wireshark's interface list shows it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/remote/far_host.h"
#include "podman/model/inventory.h"

namespace podshark::extcap::remote {

struct FarContainer {
  std::string name;     ///< in interface values
  std::string target;   ///< what podshark there is to be given
  std::string display;  ///< as of a local one
  bool operator==(const FarContainer&) const = default;
};

/// Running containers. One whose name is not unique there, or could be taken for something else (a pattern,
/// "all"), is given by its id.
[[nodiscard]] std::vector<FarContainer> far_containers(const model::Inventory& inventory);

/// A short text, read faster than JSON; pure.
[[nodiscard]] std::string encode_listing(const std::vector<FarContainer>& containers);
/// Nothing when it is not one, as of another version.
[[nodiscard]] std::optional<std::vector<FarContainer>> decode_listing(std::string_view text);

struct HostListing {
  std::vector<FarContainer> containers;
  std::chrono::milliseconds age{};  ///< max(): from the future, the clock was set back
};
/// From the user's cache; nothing when the host was never asked.
[[nodiscard]] std::optional<HostListing> read_listing(const FarHost& host);
[[nodiscard]] Status write_listing(const FarHost& host, const model::Inventory& inventory);
void forget_listing(const FarHost& host);

/// "12 min ago", "3 h ago", "2 d ago"; empty below five minutes.
[[nodiscard]] std::string age_text(std::chrono::milliseconds age);

}  // namespace podshark::extcap::remote
