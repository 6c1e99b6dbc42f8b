// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/api/transport.h"

namespace podshark::api {

/// The `podman` command of PATH, always local: variables and default connections that would make it talk to
/// another machine, whose process ids mean nothing here, are overridden. Its first use creates storage for a
/// user who has none: ask discover/storage.h before.
class PodmanCli : public Transport {
 public:
  [[nodiscard]] const char* source() const override { return "podman"; }
  [[nodiscard]] Result<std::string> ps(Deadline deadline) override;
  [[nodiscard]] Result<std::string> inspect(const std::vector<std::string>& ids, Deadline deadline) override;
  [[nodiscard]] Result<std::string> networks(const std::vector<std::string>& names,
                                             Deadline deadline) override;
  [[nodiscard]] Result<std::string> pods(Deadline deadline) override;
};

/// What `podman system connection list` says, for parse_connections(): it contacts nobody.
[[nodiscard]] Result<std::string> podman_connections(Deadline deadline);

}  // namespace podshark::api
