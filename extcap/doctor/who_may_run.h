// SPDX-License-Identifier: GPL-2.0-or-later
// Files that not everybody may execute: the helpers with capabilities, and dumpcap.
#pragma once

#include <optional>
#include <string>

#include "extcap/doctor/finding.h"
#include "extcap/doctor/scene.h"

namespace podshark::extcap::doctor {

/// Why the caller can not execute `file`, which is there, and what would change that.
struct Barrier {
  std::string fact;  ///< "/x is 0750 root:wireshark and you are not in that group"
  std::string fix;
};
[[nodiscard]] Barrier barrier(const FileFacts& file, const Caller& caller);
/// The same of a helper of ours, which a package may have to give to its group once more.
[[nodiscard]] Barrier barrier(const FileFacts& helper, const Scene& scene);

/// Command that gives `file` the capabilities `caps` ("cap_net_raw=p"), first to one group only where it is
/// not yet.
[[nodiscard]] std::string permit(const FileFacts& file, const std::string& caps);

/// A failure when others than root and one group could replace a helper or run it with its capabilities.
[[nodiscard]] std::optional<Finding> exposed(const std::string& topic, const FileFacts& file,
                                             const std::string& caps);

}  // namespace podshark::extcap::doctor
