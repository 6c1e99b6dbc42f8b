// SPDX-License-Identifier: GPL-2.0-or-later
// Machines that ssh(1) reaches, as people name them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "podman/core/result.h"

namespace podshark::extcap::remote {

struct FarHost {
  std::string destination;  ///< what ssh is given: "ssh://user@host:2222", or a name of ssh_config(5)
  std::string name;         ///< for people: "user@host:2222"
  std::vector<std::string> options = {};  ///< for ssh, before the destination
  /// Not by ssh: the name of a connection of podman (podman-system-connection(1)), whose API is all there is.
  std::string connection = {};
  bool operator==(const FarHost&) const = default;
};

/// "[USER@]HOST[:PORT]" (HOST also "[fd00::1]" or a name of ssh_config), with or without "ssh://"; or
/// "podman://CONNECTION".
/// ErrorKind::usage for anything else; what ssh could take for an option is something else.
[[nodiscard]] Result<FarHost> parse_host(const std::string& text);

/// The same from the fields of a dialog, of which only `host` need be filled; `key`: a file, `jump`: hosts to
/// go through, as ssh -J takes them.
struct HostFields {
  std::string host, port, user, key, jump;
};
[[nodiscard]] Result<FarHost> host_of(const HostFields& fields);

struct FarTarget {
  FarHost host;
  std::string target;  ///< what podshark over there is to be given: "web", "pod/shop"
};
[[nodiscard]] bool is_far(std::string_view text);
/// "ssh://[USER@]HOST[:PORT]/TARGET" or "podman://CONNECTION/TARGET".
[[nodiscard]] Result<FarTarget> parse_far_target(const std::string& text);

}  // namespace podshark::extcap::remote
